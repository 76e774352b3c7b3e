package archtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A path of the machine on which it was written helps nobody elsewhere. The
// pieces are put together here, or this file would name them itself.
var machinePaths = []string{
	"/" + "work/main", "/" + "work/shared", "/" + "work/.", "/" + "root/go", "/" + "root/.cache", "/tmp/" + "bash_jobs",
}

func TestNoMachinePaths(t *testing.T) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("not a git checkout: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || bytes.IndexByte(b, 0) >= 0 {
			continue // deleted, a link to a directory, or binary
		}
		for _, p := range machinePaths {
			if before, _, found := bytes.Cut(b, []byte(p)); found {
				t.Errorf("%s:%d: names %s", name, 1+bytes.Count(before, []byte("\n")), p)
			}
		}
	}
}
