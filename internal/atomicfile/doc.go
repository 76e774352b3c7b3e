// Package atomicfile replaces a small file as a whole, and only if it still
// holds what the caller has read.
//
// The new content is written to a temporary file in the same directory, synced,
// and exchanged with the target in one step (renameat2 RENAME_EXCHANGE). What
// came out of the exchange is then looked at: if it is not what the caller had
// read, somebody else saved in between, the two are swapped back and the caller
// starts over from the other's save. A plain rename would have destroyed it.
//
// A reader sees the old or the new whole content, never a third, and so does a
// crash at any point. Own writers, of whatever process, keep out of each
// other's way by a lock on the directory; others need not know of it.
//
// What cannot be guarded against: a program that keeps the old file open and
// writes into it after it was replaced. Mode and owner are kept; extended
// attributes are not, and a hard link is cut.
package atomicfile
