package daemon

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyReading(t *testing.T) {
	h := readOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for method, want := range map[string]int{
		"GET": 200, "HEAD": 200, "POST": 405, "PUT": 405, "PATCH": 405, "DELETE": 405, "OPTIONS": 405, "BREW": 405,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/api/v1/agents", http.NoBody))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", method, w.Code, want)
		}
		var e APIError
		if want == 405 && (json.Unmarshal(w.Body.Bytes(), &e) != nil || e.Error.Hint == "" || w.Header().Get("Allow") == "") {
			t.Errorf("%s: %s", method, w.Body)
		}
	}
}

// A web page that points its own name at 127.0.0.1 is refused.
func TestOnlyLoopbackNames(t *testing.T) {
	h := loopbackHost(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for host, want := range map[string]int{
		"localhost": 200, "localhost:9648": 200, "127.0.0.1:9648": 200, "127.1.2.3": 200, "[::1]:9648": 200, "[::1]": 200,
		"evil.example": 403, "evil.example:9648": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403, "10.0.0.1:9648": 403, "": 403,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
}
