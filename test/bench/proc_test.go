package main

import (
	"os"
	"testing"
)

func TestParseProc(t *testing.T) {
	if ns, err := parseSchedstat("1234567 89 10\n"); ns != 1234567 || err != nil {
		t.Error(ns, err)
	}
	const status = "VmPeak:\t 9 kB\nVmHWM:\t  2048 kB\nwrite_bytes: 4096\ncancelled_write_bytes: 7\n"
	for name, want := range map[string]float64{"VmHWM": 2048, "write_bytes": 4096} {
		if got, err := parseField(status, name); got != want || err != nil {
			t.Error(name, got, err)
		}
	}
	if _, err := parseField(status, "Vm"); err == nil {
		t.Error("a part of a name is taken for it")
	}
}

func TestOwnProcess(t *testing.T) {
	if s, err := processCPU(os.Getpid()); s <= 0 || err != nil {
		t.Error(s, err)
	}
	if kb, err := procField(os.Getpid(), "status", "VmHWM"); kb <= 0 || err != nil {
		t.Error(kb, err)
	}
}

func TestParseMetrics(t *testing.T) {
	const text = "# HELP x y\na_total{k=\"1\",r=\"ok\"} 2\na_total{k=\"2\"} 3\na_totals 9\nb 1.5e+03\n"
	for name, want := range map[string]float64{"a_total": 5, "b": 1500} {
		if got, err := sumMetric(text, name); got != want || err != nil {
			t.Error(name, got, err)
		}
	}
	if _, err := sumMetric(text, "c"); err == nil {
		t.Error("a metric that is not there counts as 0")
	}
}
