package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what scripts can say beside the usual words.
func commands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"exit":     cmdExit,
		"errjson":  cmdErrJSON,
		"jq":       cmdJQ,
		"manifest": cmdManifest,
		"daemon":   cmdDaemon,
		"signal":   cmdSignal,
		"await":    cmdAwait,
		"ended":    cmdEnded,
	}
}

// exit CODE ARGS... runs mesh-controller and wants that exit code. Its output
// is left in the files out and err.
func cmdExit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exit CODE ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var out, errOut bytes.Buffer
	cmd := controllerCommand(ts, args[1:])
	cmd.Stdout, cmd.Stderr = &out, &errOut
	_ = cmd.Run() // the code says it
	ts.Check(os.WriteFile(ts.MkAbs("out"), out.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("err"), errOut.Bytes(), 0o600))
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", got, want, &out, &errOut)
	}
}

func controllerCommand(ts *testscript.TestScript, args []string) *exec.Cmd {
	path, err := exec.LookPath("mesh-controller")
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, "mesh-controller"); isFile(p) {
			path, err = p, nil
			break
		}
	}
	ts.Check(err)
	cmd := exec.Command(path, args...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{
		"PATH", "HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DORK_HOME", "NO_COLOR", "GOCOVERDIR", "TMPDIR",
	} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	for _, s := range scriptSettings() {
		if v := ts.Getenv(s); v != "" || s == "MESH_CONTROLLER_LISTEN_ADDRESS" {
			cmd.Env = append(cmd.Env, s+"="+v)
		}
	}
	return cmd
}

// scriptSettings are the variables that a script may set with env.
func scriptSettings() []string {
	var names []string
	for _, s := range []string{
		"CONFIG", "DB", "SCAN_ROOT", "SCAN_DEPTH", "RESYNC_INTERVAL", "ORPHAN_GRACE", "LISTEN_ADDRESS", "SOCKET", "WORKERS", "SETTLE",
	} {
		names = append(names, "MESH_CONTROLLER_"+s)
	}
	return names
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// errjson CODE: the file err holds one JSON object, an error of that code
// with a hint.
func cmdErrJSON(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.TrimSpace(ts.ReadFile("err"))
	var e struct {
		Error struct{ Code, Message, Hint string }
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	ts.Check(dec.Decode(&e))
	if neg || len(args) != 1 || dec.More() || e.Error.Code != args[0] || e.Error.Message == "" || e.Error.Hint == "" {
		ts.Fatalf("want one error of code %v with message and hint, got:\n%s", args, text)
	}
}

// jq FILE PATH VALUE: the JSON in FILE has VALUE (as JSON, or a bare word) at
// a path like counts.agents or agents.0.id; len is the length.
func cmdJQ(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: jq FILE PATH VALUE")
	}
	var doc any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc))
	got, err := dig(doc, args[1])
	ts.Check(err)
	text, err := json.Marshal(got)
	ts.Check(err)
	same := string(text) == args[2] || string(text) == strconv.Quote(args[2])
	if same == neg {
		ts.Fatalf("%s of %s is %s, not as wanted: %s", args[1], args[0], text, args[2])
	}
}

func dig(doc any, path string) (any, error) {
	for step := range strings.SplitSeq(path, ".") {
		switch d := doc.(type) {
		case map[string]any:
			v, ok := d[step]
			if !ok {
				return nil, fmt.Errorf("no %q in %v", step, d)
			}
			doc = v
		case []any:
			if step == "len" {
				return len(d), nil
			}
			v, err := element(d, step)
			if err != nil {
				return nil, err
			}
			doc = v
		default:
			return nil, fmt.Errorf("no %q in %v", step, d)
		}
	}
	return doc, nil
}

// element is the one at a position, or the one whose name or id is the word.
func element(list []any, word string) (any, error) {
	if i, err := strconv.Atoi(word); err == nil && i < len(list) {
		return list[i], nil
	}
	for _, e := range list {
		if m, ok := e.(map[string]any); ok && (m["name"] == word || m["id"] == word) {
			return e, nil
		}
	}
	return nil, fmt.Errorf("no %q in %v", word, list)
}

// manifest DIR ID NAME [KEY=VALUE...] writes DIR/.dork/agent.json.
func cmdManifest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: manifest DIR ID NAME [KEY=VALUE...]")
	}
	m := map[string]any{
		"id": args[1], "name": args[2], "runtime": "claude-code",
		"registeredAt": "2026-01-02T03:04:05.000Z", "registeredBy": "test",
	}
	for _, pair := range args[3:] {
		key, value, _ := strings.Cut(pair, "=")
		m[key] = value
	}
	text, err := json.Marshal(m)
	ts.Check(err)
	dir := filepath.Join(ts.MkAbs(args[0]), ".dork")
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(os.WriteFile(filepath.Join(dir, "agent.json"), text, 0o600))
}

// running is a daemon of a script.
type running struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// daemon NAME ARGS... starts `mesh-controller run`. Its log is the file
// NAME.log.
func cmdDaemon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: daemon NAME ARGS...")
	}
	log, err := os.Create(ts.MkAbs(args[0] + ".log"))
	ts.Check(err)
	cmd := controllerCommand(ts, append([]string{"run"}, args[1:]...))
	cmd.Stdout, cmd.Stderr = log, log
	ts.Check(cmd.Start())
	d := &running{cmd, make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		log.Close()
		close(d.done)
	}()
	daemons(ts)[args[0]] = d
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		<-d.done
	})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600))
}

type daemonsKey struct{}

func daemons(ts *testscript.TestScript) map[string]*running {
	m, ok := ts.Value(daemonsKey{}).(map[string]*running)
	if !ok {
		ts.Fatalf("the script has no daemons")
	}
	return m
}

// signal NAME SIGNAL sends one to a daemon.
func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{
		"HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1, "TERM": syscall.SIGTERM, "INT": syscall.SIGINT,
	}
	if neg || len(args) != 2 || signals[args[1]] == 0 {
		ts.Fatalf("usage: signal NAME HUP|USR1|TERM|INT")
	}
	ts.Check(daemons(ts)[args[0]].cmd.Process.Signal(signals[args[1]]))
}

// patience of await and ended: generous, for a loaded machine.
const patience = 30 * time.Second

// await FILE TEXT waits until the file holds the text.
func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE TEXT")
	}
	for range patience / (20 * time.Millisecond) {
		if text, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(text), args[1]) {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	text, _ := os.ReadFile(ts.MkAbs(args[0]))
	ts.Fatalf("%s does not come to hold %q:\n%s", args[0], args[1], text)
}

// ended NAME CODE waits for a daemon and wants its exit code.
func cmdEnded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ended NAME CODE")
	}
	d := daemons(ts)[args[0]]
	select {
	case <-d.done:
	case <-time.After(patience):
		ts.Fatalf("%s does not end", args[0])
	}
	if got := strconv.Itoa(d.cmd.ProcessState.ExitCode()); got != args[1] {
		ts.Fatalf("%s exited with %s, want %s:\n%s", args[0], got, args[1], ts.ReadFile(args[0]+".log"))
	}
}
