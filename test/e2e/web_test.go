package e2e

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// answer of a server.
type answer struct {
	code   int
	header http.Header
	body   string
}

func (d *daemon) request(method, path string, header http.Header, body string) answer {
	d.w.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return d.w.send(client, method, "http://"+d.address+path, header, body)
}

// order is a request on the unix socket.
func (d *daemon) order(method, path, body string) answer {
	d.w.t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", d.w.socket)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}}
	header := http.Header{}
	if body != "" {
		header.Set("Content-Type", "application/json")
	}
	return d.w.send(client, method, "http://mesh-controller"+path, header, body)
}

func (w *world) send(c *http.Client, method, url string, header http.Header, body string) answer {
	w.t.Helper()
	c.Timeout = patience
	r, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	w.must(err)
	maps.Copy(r.Header, header)
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	resp, err := c.Do(r)
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// get wants 200.
func (d *daemon) get(path string) answer {
	d.w.t.Helper()
	a := d.request(http.MethodGet, path, nil, "")
	if a.code != http.StatusOK {
		d.w.t.Errorf("GET %s: %d: %s", path, a.code, a.body)
	}
	return a
}

// scrape is every sample of the exposition.
type scrape map[string]float64

func (d *daemon) scrape() scrape {
	d.w.t.Helper()
	return d.w.samples(d.get("/metrics").body)
}

func (w *world) samples(exposition string) scrape {
	w.t.Helper()
	s := scrape{}
	lines := bufio.NewScanner(strings.NewReader(exposition))
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		v, err := strconv.ParseFloat(line[at+1:], 64)
		w.must(err)
		s[line[:at]] = v
	}
	w.must(lines.Err())
	return s
}

// sum of the samples whose series begins with a text.
func (s scrape) sum(prefix string) (n float64) {
	for series, v := range s {
		if strings.HasPrefix(series, prefix) {
			n += v
		}
	}
	return n
}
