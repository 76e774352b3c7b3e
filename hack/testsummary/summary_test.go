package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestLastLine(t *testing.T) {
	const (
		ok   = `{"Action":"run","Package":"p","Test":"A"}` + "\n" + `{"Action":"pass","Package":"p","Test":"A"}` + "\n"
		skip = `{"Action":"output","Package":"p","Test":"S","Output":"    x_test.go:1: no fuse\n"}` + "\n" +
			`{"Action":"skip","Package":"p","Test":"S"}` + "\n"
		fail = `{"Action":"fail","Package":"p","Test":"F"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n"
		subs = `{"Action":"run","Package":"p","Test":"T"}` + "\n" + `{"Action":"run","Package":"p","Test":"T/a"}` + "\n" +
			`{"Action":"pass","Package":"p","Test":"T/a"}` + "\n" + `{"Action":"pass","Package":"p","Test":"T"}` + "\n"
		parentFails = `{"Action":"run","Package":"q","Test":"T/a"}` + "\n" + `{"Action":"pass","Package":"q","Test":"T/a"}` + "\n" +
			`{"Action":"fail","Package":"q","Test":"T"}` + "\n"
		died  = `{"Action":"run","Package":"p","Test":"D"}` + "\n"
		build = `{"Action":"build-output","ImportPath":"b","Output":"b.go:1: undefined: x\n"}` + "\n" + `{"Action":"fail","Package":"b"}` + "\n"
	)
	for _, c := range []struct {
		name, in, want string
		bad            bool
	}{
		{"passed", ok, "1 passed, 0 failed, 0 skipped", false},
		{"skipped with its reason", ok + skip, "no fuse\n\n1 passed, 0 failed, 1 skipped", false},
		{"failed", ok + fail, "1 passed, 1 failed, 0 skipped", true},
		{"a parent does not count", subs, "1 passed, 0 failed, 0 skipped", false},
		{"a parent that fails by itself does", parentFails, "1 passed, 1 failed, 0 skipped", true},
		{"died", ok + died, "1 passed, 1 failed, 0 skipped", true},
		{"does not build", ok + build, "undefined: x\n\n--- FAIL b \n\n1 passed, 1 failed, 0 skipped", true},
		{"twice", ok + ok, "1 passed, 0 failed, 0 skipped", false},
		{"skipped once", strings.ReplaceAll(ok, "pass", "skip") + ok, "1 passed, 0 failed, 0 skipped", false},
		{"failed once", ok + strings.ReplaceAll(ok, "pass", "fail"), "0 passed, 1 failed, 0 skipped", true},
		{"nothing", "", "0 passed, 0 failed, 0 skipped", true},
	} {
		var out bytes.Buffer
		err := run(strings.NewReader(c.in), &out, "", true)
		if (err != nil) != c.bad {
			t.Errorf("%s: error %v", c.name, err)
		}
		if !strings.HasSuffix(out.String(), c.want+"\n") {
			t.Errorf("%s: got %q, want the end %q", c.name, out.String(), c.want)
		}
	}
}
