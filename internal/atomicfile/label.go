package atomicfile

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
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

// parseLabel is the inverse of newName.
func parseLabel(name string) (label, bool) {
	rest, ok := unnumbered(name)
	rest, put := cutLast(rest)
	rest, over := cutLast(rest)
	base, r := cutLast(rest)
	l := label{role: role(r), base: base, over: mark(over), put: mark(put)}
	switch l.role {
	case part, next, back, gone:
	default:
		return label{}, false
	}
	if !ok || !l.over.valid() || !l.put.valid() || base == "" {
		return label{}, false
	}
	return l, base != "." && base != ".." && !IsTemp(base)
}

// unlabelled are the names of earlier versions, which say nothing, and those
// with a label.
func unlabelled(name string) bool {
	rest, ok := unnumbered(name)
	return ok && rest != ""
}

// unnumbered is what stands between the prefix and the random number.
func unnumbered(name string) (rest string, ok bool) {
	rest, number := cutLast(strings.TrimPrefix(name, tempPrefix))
	return rest, IsTemp(name) && isHash(number)
}

// cutLast is what stands before and behind the last dot; without one all is
// behind it.
func cutLast(s string) (before, after string) {
	i := strings.LastIndexByte(s, '.')
	return s[:max(i, 0)], s[i+1:]
}

func (m mark) valid() bool { return m == none || m == other || isHash(string(m)) }

func isHash(s string) bool {
	return len(s) == 16 && strings.Trim(s, "0123456789abcdef") == ""
}

func randomHex() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
