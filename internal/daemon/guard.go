package daemon

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
)

// readOnly refuses every method that could change something.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeError(w, http.StatusMethodNotAllowed, "methodNotAllowed",
				"this listener only answers GET", "use the commands of mesh-controller, or its unix socket")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopbackHost refuses requests that name another host: a web page in the
// user's browser must not read the API by pointing its own name at 127.0.0.1.
func loopbackHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopbackName(r.Host) {
			writeError(w, http.StatusForbidden, "forbidden",
				"this listener answers to localhost only", "ask for http://localhost, or listen on another address with --listen-address")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" {
		return true
	}
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// listensOnLoopback reports whether only this machine can reach the address.
func listensOnLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// APIError is the body of every answer that is an error, and what commands
// print with -o json.
type APIError struct {
	Error ErrorBody `json:"error"`
}

// ErrorBody says what is wrong and what to do about it.
type ErrorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

func writeError(w http.ResponseWriter, status int, code, message, hint string) {
	writeJSON(w, status, APIError{ErrorBody{code, message, hint}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v) // the client left
}

// answer is the result, or the controller's error.
func answer(w http.ResponseWriter, status int, result any, err error) {
	if err != nil {
		writeFailure(w, err)
		return
	}
	writeJSON(w, status, result)
}

// writeFailure answers with an error of the controller.
func writeFailure(w http.ResponseWriter, err error) {
	refusal, refused := errors.AsType[*controller.Refusal](err)
	switch {
	case refused && refusal.Usage:
		writeError(w, http.StatusBadRequest, codeUsage, err.Error(), refusal.Hint)
	case refused:
		writeError(w, http.StatusConflict, codeRefused, err.Error(), refusal.Hint)
	case errors.Is(err, controller.ErrNotFound):
		writeError(w, http.StatusNotFound, codeNotFound, err.Error(), "GET /api/v1/agents lists what there is")
	default:
		writeError(w, http.StatusServiceUnavailable, "failed", err.Error(), "try again; the log says more")
	}
}

// Codes that a client turns back into what was meant.
const (
	codeUsage    = "usage"
	codeRefused  = "refused"
	codeNotFound = "notFound" // of something that nothing knows
)
