//go:build !race

package hostile

// growth is how much memory a resync may take at its peak.
const growth = 100 << 20
