package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// processCPU is the processor time of all threads of a process so far, in
// seconds, to the nanosecond: /proc/PID/stat counts in hundredths.
func processCPU(pid int) (float64, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, fmt.Errorf("process %d: no /proc/PID/task/*/schedstat", pid)
	}
	total := 0.0
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return 0, err
		}
		ns, err := parseSchedstat(string(data))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", f, err)
		}
		total += ns / 1e9
	}
	return total, nil
}

// parseSchedstat reads the first of "nanoseconds-run waited slices".
func parseSchedstat(s string) (float64, error) {
	first, _, _ := strings.Cut(s, " ")
	return strconv.ParseFloat(first, 64)
}

// voluntarySwitches of all threads of a process so far.
func voluntarySwitches(pid int) (float64, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil {
		return 0, err
	}
	total := 0.0
	for _, t := range tasks {
		n, err := procField(pid, filepath.Join("task", filepath.Base(t), "status"), "voluntary_ctxt_switches")
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// procField reads one "Name:  value [unit]" line of /proc/PID/FILE.
func procField(pid int, file, name string) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0, err
	}
	return parseField(string(data), name)
}

func parseField(text, name string) (float64, error) {
	for l := range strings.Lines(text) {
		key, value, ok := strings.Cut(l, ":")
		if fields := strings.Fields(value); ok && key == name && len(fields) > 0 {
			return strconv.ParseFloat(fields[0], 64)
		}
	}
	return 0, fmt.Errorf("no field %s", name)
}

// ownCPU is the processor time of this process so far, in seconds.
func ownCPU() (float64, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9, nil
}
