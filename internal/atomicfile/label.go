package atomicfile

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// tempPrefix makes leftovers of a crash recognisable. No name that the
// original uses for its own temporary files begins like this.
const tempPrefix = ".mesh-controller."

// IsTemp reports whether a file name is one of this package's temporary names.
// Unless a write is under way it is a crash's leftover, which Recover takes.
func IsTemp(name string) bool { return strings.HasPrefix(name, tempPrefix) }

// mark is the short form of what a name stands for: 16 hexadecimal digits of
// its content's hash, or one of the words below.
type mark string

const (
	none  mark = "none"  // nothing is there
	other mark = "other" // no regular file, or one that could not be read
)

func markOf(content []byte) mark { return hashMark(xxhash.Sum64(content)) }

func markOfFile(r io.Reader) (mark, error) {
	h := xxhash.New()
	_, err := io.Copy(h, r)
	return hashMark(h.Sum64()), err
}

func hashMark(sum uint64) mark { return mark(fmt.Sprintf("%016x", sum)) }

// role is what a temporary file was made for.
type role string

const (
	// part is being written. It never was anywhere else.
	part role = "part"
	// next is whole and waits to be exchanged with the target; or the exchange
	// was made, and it is what came out.
	next role = "next"
	// back belongs in the target's place: somebody's save that an exchange
	// brought out. Or the exchange that puts it there was made, and it is what
	// that one brought out.
	back role = "back"
	// gone was the target until it was taken away.
	gone role = "gone"
)

// label is what the name of a temporary file says, so that whoever finds it
// after a crash can tell from the contents alone how far the writer came.
type label struct {
	role role
	base string // the name of the target
	over mark   // what the target is to hold before
	put  mark   // what it is to hold after
}

// newName is a name that nobody uses.
func (l label) newName() string {
	return tempPrefix + l.base + "." + string(l.role) + "." + string(l.over) + "." + string(l.put) + "." + randomHex()
}

var (
	named = regexp.MustCompile(`^\.mesh-controller\.(.+)\.(part|next|back|gone)\.([0-9a-f]{16}|none|other)\.([0-9a-f]{16}|none|other)\.[0-9a-f]{16}$`)
	// unlabelled are the names of earlier versions, which say nothing.
	unlabelled = regexp.MustCompile(`^\.mesh-controller\..+\.[0-9a-f]{16}$`)
)

// parseLabel is the inverse of newName.
func parseLabel(name string) (label, bool) {
	m := named.FindStringSubmatch(name)
	if m == nil {
		return label{}, false
	}
	l := label{role: role(m[2]), base: m[1], over: mark(m[3]), put: mark(m[4])}
	return l, l.base != "." && l.base != ".." && !IsTemp(l.base)
}

func randomHex() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
