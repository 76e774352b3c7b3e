package sources
import ("testing";"os";"fmt";"path/filepath";"unsafe";"golang.org/x/sys/unix";"github.com/mesh-registry/mesh-controller/pkg/agent")
func TestZZKeep(t *testing.T){ d:=os.Getenv("KEEPFLEET"); if d=="" {t.Skip()}; root:=fleet(t, fleetSize); must(t, os.Rename(root, d)) }
const zz = "/var/tmp/srcfleet"
func BenchmarkZZFloor(b *testing.B){
	tree := newTree(b, Options{ScrubSweeps: NoScrub})
	l,_ := sweep(b, tree, agent.SweepRequest{Roots: []string{zz}})
	var st unix.Stat_t
	measure(b, func(){ for _, s := range l.Sightings { if err := unix.Fstatat(unix.AT_FDCWD, s.Path+"/.dork/agent.json", &st, 0); err != nil {b.Fatal(err)} } })
}
func BenchmarkZZSame(b *testing.B){
	p := []byte(zz+"\x00")
	fd, _ := unix.Open(zz+"/team-0000", unix.O_PATH, 0)
	q := []byte("project-000001\x00")
	var st unix.Stat_t
	var sx unix.Statx_t
	b.Run("getppid", func(b *testing.B){ for b.Loop() { unix.Syscall6(unix.SYS_GETPPID,0,0,0,0,0,0) }})
	b.Run("fstatat", func(b *testing.B){ for b.Loop() { unix.Syscall6(unix.SYS_NEWFSTATAT, uintptr(fd), uintptr(unsafe.Pointer(&q[0])), uintptr(unsafe.Pointer(&st)), 256, 0,0) }})
	b.Run("statx", func(b *testing.B){ for b.Loop() { rawStatx(fd, &q[0], 256, &sx) }})
	b.Run("statxabs", func(b *testing.B){ for b.Loop() { rawStatx(-100, &p[0], 256, &sx) }})
	b.Run("statxdont", func(b *testing.B){ for b.Loop() { rawStatx(fd, &q[0], 256|unix.AT_STATX_DONT_SYNC, &sx) }})
}
func BenchmarkZZDirs(b *testing.B){
	var dirs []string
	filepath.WalkDir(zz, func(p string, d os.DirEntry, err error) error { if d.IsDir() { if n := d.Name(); n==".git"||n=="node_modules"||n==".dork" {return filepath.SkipDir}; dirs = append(dirs, p+"\x00")}; return nil})
	fmt.Println(len(dirs))
	var st unix.Stat_t
	var sx unix.Statx_t
	b.Run("fstatat", func(b *testing.B){ measure(b, func(){ for _, d := range dirs { unix.Syscall6(unix.SYS_NEWFSTATAT, 0, uintptr(unsafe.Pointer(unsafe.StringData(d))), uintptr(unsafe.Pointer(&st)), 256, 0,0)}})})
	b.Run("statx", func(b *testing.B){ measure(b, func(){ for _, d := range dirs { rawStatx(0, unsafe.StringData(d), 256, &sx)}})})
}
func BenchmarkZZQuiet(b *testing.B){
  for _, n := range []int{2,4,6,16,1000} { b.Run(fmt.Sprint(n), func(b *testing.B){
	worthOpening = n
	tree := newTree(b, Options{ScrubSweeps: NoScrub})
	req := agent.SweepRequest{Roots: []string{zz}}
	sweep(b, tree, req)
	measure(b, func(){ sweep(b, tree, req) })
  })}
}
func BenchmarkZZCold(b *testing.B){
	req := agent.SweepRequest{Roots: []string{zz}}
	measure(b, func(){ sweep(b, newTree(b, Options{}), req) })
}
