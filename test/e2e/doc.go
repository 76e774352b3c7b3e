// Package e2e runs the built binary as its users do: real processes and
// signals, real directories, a real index, and real scrapes. It knows the
// contract and nothing of the code: what it reads are exit codes, output, log
// lines, files and answers.
//
// Every test has a sandbox of its own and runs beside the others. Nothing is
// waited for longer than it takes: `eventually` polls until a deadline.
package e2e
