package sources

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// MaxManifest bounds a manifest in bytes; one that is larger is Invalid. The
// largest that the schema asks for is a few kilobytes.
const MaxManifest = 1 << 20

// decoder turns a manifest's bytes into what it says, or what is wrong.
type decoder func(data []byte) (*agent.Manifest, *agent.Violation)

// reader reads manifests one at a time; what it reads into is reused.
type reader struct {
	open   opener
	decode decoder // nil: agent's; only tests have another
	// peeks: what a manifest says is not kept, and holds until the next is read.
	peeks  bool
	peeked agent.Manifest
	buf    []byte
	st     unix.Statx_t // of the last look
}

// content is what one opening of a manifest showed.
type content struct {
	class agent.Evidence // Present until decoded, Invalid, Unknown or FileMissing
	stamp stamp          // taken before the bytes were read; zero when not opened
	hash  uint64         // of data
	data  []byte         // valid until the next read; nil when nothing was read
	mode  fs.FileMode    // permission bits of the file

	manifest *agent.Manifest
	problem  *agent.Violation
	err      string
}

// read opens and reads the manifest called name, which ends in NUL, beneath
// dir. What it says is left to interpret; the error is the opener's, for
// explain.
func (r *reader) read(dir int, name *byte) (content, error) {
	fd, err := r.open.open(dir, name, readFlags)
	if err != nil {
		return content{}, err
	}
	defer unix.Close(fd)
	return r.readFrom(fd), nil
}

func (r *reader) readFrom(fd int) content {
	if errno := rawStatx(fd, emptyName, unix.AT_EMPTY_PATH, &r.st); errno != 0 {
		return unknown(errno)
	}
	if kindOf(&r.st) != unix.S_IFREG {
		return invalid("is %s, expected a regular file", kindName(&r.st))
	}
	c := content{class: agent.Present, stamp: stampOf(&r.st), mode: fs.FileMode(r.st.Mode & 0o777)}
	if r.st.Size > MaxManifest {
		return c.tooBig()
	}
	data, err := r.slurp(fd, int(r.st.Size))
	if err != nil {
		return unknown(err)
	}
	if len(data) > MaxManifest {
		return c.tooBig()
	}
	c.data, c.hash = data, xxhash.Sum64(data)
	return c
}

// readBelow reads the manifest of the project directory that dir is open on.
func (r *reader) readBelow(dir int) content {
	c, err := r.read(dir, manifestCName)
	if err != nil {
		return explain(dir, err)
	}
	r.interpret(&c)
	return c
}

// interpret decodes what was read; what was not read stays as it is.
func (r *reader) interpret(c *content) {
	if c.class != agent.Present {
		return
	}
	switch {
	case r.decode != nil:
		c.manifest, c.problem = r.decode(c.data)
	case r.peeks:
		c.manifest, c.problem = &r.peeked, r.peeked.Peek(c.data)
	default:
		c.manifest, c.problem = agent.DecodeManifest(c.data)
	}
	if c.problem != nil {
		c.class, c.manifest = agent.Invalid, nil
	}
}

// slurp reads to the end, or one byte past the bound. A file of size bytes of
// which just as many come where more were asked for has ended there.
func (r *reader) slurp(fd, size int) ([]byte, error) {
	if cap(r.buf) < size+1 {
		r.buf = make([]byte, max(4096, size+1))
	}
	buf := r.buf[:0]
	for len(buf) <= MaxManifest {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		free := buf[len(buf):min(cap(buf), MaxManifest+1)]
		n, err := unix.Read(fd, free)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		buf = buf[:len(buf)+n]
		if n == 0 || n < len(free) && len(buf) == size {
			r.buf = buf
			break
		}
	}
	return buf, nil
}

func (c content) tooBig() content {
	c.class, c.data, c.hash = agent.Invalid, nil, 0
	c.problem = &agent.Violation{Message: fmt.Sprintf("is larger than %d bytes", MaxManifest)}
	return c
}

func unknown(err error) content { return content{class: agent.Unknown, err: errnoName(err)} }

func invalid(format string, args ...any) content {
	return content{class: agent.Invalid, problem: &agent.Violation{Message: fmt.Sprintf(format, args...)}}
}

func missing(err error) content { return content{class: agent.FileMissing, err: errnoName(err)} }

// explain tells why the manifest of dir could not be opened. A link answers
// ELOOP (ENOTDIR where openat2 is not allowed), a socket ENXIO and a device
// without driver ENODEV; all but ENOENT may have another cause, so the kind of
// the file decides.
func explain(dir int, err error) content {
	switch {
	case errors.Is(err, unix.ENOENT):
		return missing(err)
	case !errors.Is(err, unix.ENOTDIR) && !errors.Is(err, unix.ELOOP) &&
		!errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.ENODEV):
		return unknown(err)
	}
	st, lerr := lstatAt(dir, dorkDir)
	switch {
	case lerr != nil:
		return unknown(err)
	case kindOf(&st) == unix.S_IFLNK:
		return invalid("%s is a symbolic link, expected a directory", dorkDir)
	case kindOf(&st) != unix.S_IFDIR:
		return missing(unix.ENOTDIR)
	}
	st, lerr = lstatAt(dir, manifestPath)
	if lerr != nil || kindOf(&st) == unix.S_IFREG {
		return unknown(err) // it changed in between, or the doubt is real
	}
	return invalid("is %s, expected a regular file", kindName(&st))
}
