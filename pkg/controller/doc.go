// Package controller is the loop: a sweep lists every id that any source
// knows and queues what differs; a handler per id observes the world, asks
// pkg/controller/plan what to do, does it, and comes back when the plan says
// so. It declares the ports that it needs and knows nothing of what is behind
// them.
package controller
