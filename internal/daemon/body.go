package daemon

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
)

// maxBody bounds an order in bytes. A name or a description may be long; none
// is a megabyte.
const maxBody = 1 << 20

var (
	errNoBody  = errors.New("body: is empty")
	errNotJSON = errors.New("Content-Type: must be application/json")
)

// readBody reads an order: one JSON object with known fields only.
func readBody(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return errNoBody
	}
	// A web page can send other types to whom it likes; this one it has to ask for.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return errNotJSON
	}
	if err := json.Unmarshal(body, v, json.RejectUnknownMembers(true)); err != nil {
		return bodyError(err)
	}
	return nil
}

// readOptionalBody is readBody where an order may do without words.
func readOptionalBody(w http.ResponseWriter, r *http.Request, v any) error {
	err := readBody(w, r, v)
	if errors.Is(err, errNoBody) {
		return nil
	}
	return err
}

// bodyError speaks of the document, not of the Go type that it was meant for.
func bodyError(err error) error {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		what := "a value of another type is expected"
		if semantic.Err != nil {
			what = semantic.Err.Error()
		}
		where := string(semantic.JSONPointer)
		if where == "" {
			where = "as a whole"
		}
		return errors.New("body: " + where + ": " + what)
	}
	return errors.New("body: " + strings.TrimPrefix(err.Error(), "jsontext: "))
}

// writeMisuse answers an order that cannot be understood.
func writeMisuse(w http.ResponseWriter, err error, hint string) {
	status := http.StatusBadRequest
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, errNotJSON):
		status = http.StatusUnsupportedMediaType
	}
	writeError(w, status, codeUsage, err.Error(), hint)
}
