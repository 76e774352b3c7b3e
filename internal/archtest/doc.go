// Package archtest keeps the policies of the code base as tests: which package
// may import which, who may read the clock or end the process, what a package
// must be called, and that the manuals know every reason, flag and metric. It
// has no code of its own.
package archtest
