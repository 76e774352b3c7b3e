package migrations_test

import (
	"strings"
	"testing"

	"github.com/mesh-registry/mesh-controller/migrations"
)

// The text of a file is run as it is, so goose's words would be comments.
func TestFilesArePlainAndInOrder(t *testing.T) {
	all, err := migrations.All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != migrations.Latest {
		t.Errorf("%d files, the latest is %d", len(all), migrations.Latest)
	}
	for i, f := range all {
		if f.Version != int64(i+1) {
			t.Errorf("%s is %d, and number %d of all", f.Name, f.Version, i+1)
		}
		if strings.Count("\n"+f.SQL, "\n-- +goose Up\n") != 1 || strings.Count(f.SQL, "+goose") != 1 {
			t.Errorf("%s is not one way up", f.Name)
		}
	}
}
