package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestModeAndOwnerAreKept(t *testing.T) {
	everySteps(t, func(t *testing.T, s steps) {
		path := filepath.Join(t.TempDir(), "f")
		put(t, path, "a", 0o664)
		uid, gid := uint32(os.Getuid()), uint32(os.Getgid())
		if uid == 0 {
			uid, gid = 1234, 2345
			if err := os.Chown(path, int(uid), int(gid)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.replacePath(path, []byte("a"), []byte("b"), Options{Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		wantDress(t, path, dress{true, uid, gid, 0o664})
	})
}

func wantDress(t *testing.T, path string, d dress) {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	if uint32(st.Mode)&0o7777 != d.mode || st.Uid != d.uid || st.Gid != d.gid {
		t.Errorf("mode %o owner %d:%d, want %o %d:%d", st.Mode&0o7777, st.Uid, st.Gid, d.mode, d.uid, d.gid)
	}
}

func TestModeOfNewFile(t *testing.T) {
	for _, tt := range []struct{ ask, want fs.FileMode }{{0, 0o600}, {0o644, 0o644}} {
		path := filepath.Join(t.TempDir(), "f")
		if err := WriteNew(path, []byte("x"), Options{Mode: tt.ask}); err != nil {
			t.Fatal(err)
		}
		fi, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if fi.Mode().Perm() != tt.want {
			t.Errorf("mode %v, want %v", fi.Mode(), tt.want)
		}
	}
}

// asMember is set in a run as a user who may give his files to a group of his,
// and to nobody else: the directory to work in.
const asMember = "ATOMICFILE_TEST_MEMBER"

const user, otherUser, ownGroup, sharedGroup = 65534, 1234, 65534, 2345

// The group is kept by whoever is in it; a file of another user is refused.
func TestGroupIsKeptWhereOnlyThatIsPermitted(t *testing.T) {
	if dir := os.Getenv(asMember); dir != "" {
		beMember(t, dir)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("needs to become another user")
	}
	dir, err := os.MkdirTemp("/tmp", "atomicfile")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, uid := range map[string]int{"own": user, "foreign": otherUser} {
		put(t, filepath.Join(dir, name), "old", 0o664)
		err = errors.Join(err, os.Chown(filepath.Join(dir, name), uid, sharedGroup))
	}
	exe, _ := os.Executable()
	data, _ := os.ReadFile(exe)
	bin := filepath.Join(dir, "test")
	err = errors.Join(err, os.WriteFile(bin, data, 0o755), os.Chown(dir, user, ownGroup))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-test.run=^"+t.Name()+"$")
	cmd.Env, cmd.Dir = append(os.Environ(), asMember+"="+dir), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: ownGroup, Groups: []uint32{sharedGroup}}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func beMember(t *testing.T, dir string) {
	own, foreign := filepath.Join(dir, "own"), filepath.Join(dir, "foreign")
	if err := Replace(own, []byte("old"), []byte("next"), Options{}); err != nil {
		t.Error(err)
	}
	wantDress(t, own, dress{true, user, sharedGroup, 0o664})
	if err := Replace(foreign, []byte("old"), []byte("next"), Options{}); !errors.Is(err, unix.EPERM) {
		t.Errorf("err = %v, want EPERM", err)
	}
	wantDress(t, foreign, dress{true, otherUser, sharedGroup, 0o664})
	if n := names(t, dir); len(n) != 3 {
		t.Errorf("directory holds %q", n)
	}
}
