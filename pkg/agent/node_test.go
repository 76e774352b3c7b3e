package agent_test

import (
	"bufio"
	"encoding/base64"
	"io"
	"os/exec"
	"testing"
)

// node is one running Node.js: the reference for everything that is to be as in
// JavaScript. It answers line by line, so that thousands of questions cost one
// process.
type node struct {
	in  *bufio.Writer
	out *bufio.Reader
}

// startNode runs a script in which answer(text) is the answer, a string without
// line ends, to one question. It skips the test where there is no Node.js.
func startNode(tb testing.TB, script string) *node {
	tb.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		tb.Skip("node is not on PATH: nothing to compare with")
	}
	const loop = `
require('readline').createInterface({input: process.stdin}).on('line', line =>
	process.stdout.write(answer(Buffer.from(line, 'base64').toString('utf8')) + '\n'))`
	cmd := exec.Command(path, "-e", script+loop)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		if err := cmd.Wait(); err != nil {
			tb.Error("node: ", err)
		}
	})
	return &node{bufio.NewWriter(stdin), bufio.NewReader(stdout)}
}

// ask returns the answer to one question.
func (n *node) ask(tb testing.TB, question []byte) string {
	tb.Helper()
	n.send(tb, question)
	n.flush(tb)
	return n.receive(tb)
}

// askAll returns the answers in the order of the questions.
func (n *node) askAll(tb testing.TB, questions [][]byte) []string {
	tb.Helper()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for _, q := range questions {
			n.send(tb, q)
		}
		n.flush(tb)
	}()
	answers := make([]string, len(questions))
	for i := range answers {
		answers[i] = n.receive(tb)
	}
	<-sent
	return answers
}

func (n *node) send(tb testing.TB, question []byte) {
	line := base64.StdEncoding.AppendEncode(nil, question)
	if _, err := n.in.Write(append(line, '\n')); err != nil {
		tb.Error(err)
	}
}

func (n *node) flush(tb testing.TB) {
	if err := n.in.Flush(); err != nil {
		tb.Error(err)
	}
}

func (n *node) receive(tb testing.TB) string {
	tb.Helper()
	line, err := n.out.ReadString('\n')
	if err != nil {
		tb.Fatal("node does not answer: ", err)
	}
	return line[:len(line)-1]
}
