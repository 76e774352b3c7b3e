// Package metrics is what a Prometheus server sees of the controller. It keeps
// a registry of its own, counts at three seams (worker, apply and sweep), and
// hands the workqueue its metrics under their upstream names.
//
// Labels come from closed sets only: no agent id, path, namespace or error
// text can become a label, and a word that no set knows is counted under the
// set's fallback instead of making a series (or a panic). So the exposition
// has the same series from the first scrape on, all at zero, and rate() misses
// no first event. Together with what is kept of the runtime's own metrics they
// stay below 200 sample lines; testdata/exposition.txt is the whole of it.
package metrics
