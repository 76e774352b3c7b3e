package sources

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// mounts is the mount table of this process. It is read again whenever the
// kernel says that it changed, which costs one poll per question.
type mounts struct {
	mu    sync.Mutex
	file  *os.File // /proc/self/mountinfo
	lines []mountLine
	byID  map[uint64]int
	// fsids by mount, for one sweep and one state of the table: asking again
	// costs a statfs, and remembering longer would miss a reformatted volume.
	fsids map[uint64]string
}

// openMounts reads the table once; without /proc there is nothing to tell a
// volume by.
func openMounts() (*mounts, error) {
	// Not by os.Open: the runtime's own poll would take the news from ours.
	const table = "/proc/self/mountinfo"
	fd, err := unix.Open(table, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open mount table %s: %w", table, err)
	}
	m := &mounts{file: os.NewFile(uintptr(fd), table)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.parse(); err != nil {
		return nil, err
	}
	return m, nil
}

// forget drops what was learnt by statfs: a sweep begins.
func (m *mounts) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.fsids)
}

// point is the mount point that covers path, told from the path alone: the
// file system itself is not touched, since it may hang.
func (m *mounts) point(path string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refresh()
	if i := m.longest(path); i >= 0 {
		return m.lines[i].mount.Point
	}
	return "/"
}

// below lists the mount points strictly below path.
func (m *mounts) below(path string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refresh()
	var points []string
	for i := range m.lines {
		if p := m.lines[i].mount.Point; p != path && agent.Within(p, path) {
			points = append(points, p)
		}
	}
	return points
}

// of is the mount that covers path, which exists: fd is open on it and st is
// its stat. It may touch the file system.
func (m *mounts) of(fd int, path string, st *unix.Statx_t) (agent.Mount, error) {
	m.mu.Lock()
	m.refresh()
	i := m.covering(path, st)
	if i < 0 {
		m.mu.Unlock()
		return bareMount(fd)
	}
	line := m.lines[i]
	id, known := m.fsids[line.id]
	m.mu.Unlock()

	if !known {
		fs, err := statfs(fd)
		if err != nil {
			return agent.Mount{}, err
		}
		id = fsid(&fs)
		m.learn(line, id)
	}
	line.mount.FSID = id
	return line.mount, nil
}

// known is the mount that st lies on where the table has it by its id and its
// fsid was learnt: the file system is not touched.
func (m *mounts) known(st *unix.Statx_t) (agent.Mount, bool) {
	if st.Mask&unix.STATX_MNT_ID == 0 {
		return agent.Mount{}, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refresh()
	i, listed := m.byID[st.Mnt_id]
	id, learnt := m.fsids[st.Mnt_id]
	if !listed || !learnt {
		return agent.Mount{}, false
	}
	mount := m.lines[i].mount
	mount.FSID = id
	return mount, true
}

// learn keeps an fsid unless the table moved on in between.
func (m *mounts) learn(line mountLine, id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i, ok := m.byID[line.id]; ok && m.lines[i] == line {
		m.fsids[line.id] = id
	}
}

// covering is the position of the mount that st lies on, by its id where the
// kernel tells it, else by the path; -1 when the table does not have it.
func (m *mounts) covering(path string, st *unix.Statx_t) int {
	if st.Mask&unix.STATX_MNT_ID != 0 {
		if i, ok := m.byID[st.Mnt_id]; ok {
			return i
		}
	}
	return m.longest(path)
}

func (m *mounts) longest(path string) int {
	best := -1
	for i := range m.lines {
		p := m.lines[i].mount.Point
		if agent.Within(path, p) && (best < 0 || len(p) >= len(m.lines[best].mount.Point)) {
			best = i
		}
	}
	return best
}

// refresh parses the table again when the kernel says that it changed. Where
// that cannot be asked or read the last table stays.
func (m *mounts) refresh() {
	fds := []unix.PollFd{{Fd: int32(m.file.Fd()), Events: unix.POLLPRI}}
	n, err := unix.Poll(fds, 0)
	if err != nil || n > 0 {
		_ = m.parse()
	}
}

func (m *mounts) parse() error {
	text, err := io.ReadAll(io.NewSectionReader(m.file, 0, 64<<20))
	if err != nil {
		return fmt.Errorf("read mount table: %w", err)
	}
	m.lines = parseMountinfo(string(text))
	m.byID = make(map[uint64]int, len(m.lines))
	for i := range m.lines {
		m.byID[m.lines[i].id] = i
	}
	m.fsids = make(map[uint64]string)
	return nil
}

func statfs(fd int) (fs unix.Statfs_t, err error) {
	err = again(func() error { return unix.Fstatfs(fd, &fs) })
	return fs, err
}

func fsid(fs *unix.Statfs_t) string {
	return fmt.Sprintf("%08x%08x", uint32(fs.Fsid.Val[0]), uint32(fs.Fsid.Val[1]))
}

// bareMount describes a file system that the table does not list: in a chroot
// the mount that holds "/" may lie outside.
func bareMount(fd int) (agent.Mount, error) {
	fs, err := statfs(fd)
	if err != nil {
		return agent.Mount{}, err
	}
	return agent.Mount{Point: "/", Type: "0x" + strconv.FormatInt(int64(fs.Type), 16), FSID: fsid(&fs)}, nil
}
