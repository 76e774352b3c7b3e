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

// reader reads manifests one at a time; its buffer is reused.
type reader struct {
	open   opener
	decode decoder
	buf    []byte
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

// read opens and reads the manifest of the project directory dir. What it
// says is left to interpret.
func (r *reader) read(dir int) content {
	fd, err := r.open.manifest(dir)
	if err != nil {
		return explain(dir, err)
	}
	defer unix.Close(fd)
	st, err := statFD(fd)
	if err != nil {
		return unknown(err)
	}
	if kindOf(&st) != unix.S_IFREG {
		return invalid("is %s, expected a regular file", kindName(&st))
	}
	c := content{class: agent.Present, stamp: stampOf(&st), mode: fs.FileMode(st.Mode & 0o777)}
	if st.Size > MaxManifest {
		return c.tooBig()
	}
	if c.data, err = r.slurp(fd, int(st.Size)); err != nil {
		return unknown(err)
	}
	if len(c.data) > MaxManifest {
		return c.tooBig()
	}
	c.hash = xxhash.Sum64(c.data)
	return c
}

// interpret decodes what was read; what was not read stays as it is.
func (r *reader) interpret(c *content) {
	if c.class != agent.Present {
		return
	}
	if c.manifest, c.problem = r.decode(c.data); c.problem != nil {
		c.class, c.manifest = agent.Invalid, nil
	}
}

// slurp reads to the end, or one byte past the bound.
func (r *reader) slurp(fd, size int) ([]byte, error) {
	if cap(r.buf) < size+1 {
		r.buf = make([]byte, max(4096, size+1))
	}
	buf := r.buf[:0]
	for len(buf) <= MaxManifest {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := unix.Read(fd, buf[len(buf):min(cap(buf), MaxManifest+1)])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		case n == 0:
			r.buf = buf
			return buf, nil
		}
		buf = buf[:len(buf)+n]
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
