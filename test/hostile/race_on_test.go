//go:build race

package hostile

// growth is how much memory a resync may take at its peak; the race detector
// takes several times as much.
const growth = 500 << 20
