// Package conntrack stands in for github.com/mwitkow/go-conntrack, of which it
// has what the HTTP client of prometheus/common uses. That client is imported
// by the exporter toolkit and never made by this program; but the original
// serves its traces from an init function, by a template, and so keeps 3 MB of
// methods that nothing calls (docs/adr/0018). Connections are dialed as by the
// original, and neither counted nor traced.
package conntrack

import (
	"context"
	"net"
)

// DialContext is the type of net.Dialer's method.
type DialContext = func(ctx context.Context, network, addr string) (net.Conn, error)

// Option of a dialer.
type Option func(*DialContext)

// NewDialContextFunc returns a net.Dialer's DialContext, or the function of
// the last DialWithDialContextFunc.
func NewDialContextFunc(opts ...Option) DialContext {
	d := (&net.Dialer{}).DialContext
	for _, opt := range opts {
		opt(&d)
	}
	return d
}

// DialWithDialContextFunc dials by f.
func DialWithDialContextFunc(f DialContext) Option {
	return func(d *DialContext) { *d = f }
}

// DialWithName changes nothing: a name is only counted under.
func DialWithName(string) Option { return func(*DialContext) {} }

// DialWithTracing changes nothing.
func DialWithTracing() Option { return func(*DialContext) {} }
