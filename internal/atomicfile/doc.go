// Package atomicfile replaces, creates and removes a small file as a whole, and
// only if it still holds what the caller has read.
//
// The new content is written to a file that has no name (O_TMPFILE), synced,
// given a temporary name in the same directory, and exchanged with the target
// in one step (renameat2 RENAME_EXCHANGE). What came out of the exchange is
// then looked at: if it is not what the caller had read, somebody else saved in
// between, the two are swapped back and the caller starts over from the other's
// save. A plain rename would have destroyed it. A new file needs no temporary
// name: it is linked into its place, which fails where something is.
//
// A reader sees the old or the new whole content, never a third, and so does a
// crash at any point. What a crash leaves besides is a file under a temporary
// name, which says what it was made for; Recover, and every writer before it
// writes, tells from it and from the contents how far the writer came, and
// brings that to an end. Own writers, of whatever process, keep out of each
// other's way by a lock on the directory; others need not know of it.
//
// Each part has a fallback for file systems that lack it. Without an exchange
// the target is read once more just before a plain rename, and a save that
// lands between these two is lost. Without files that have no name a crash can
// leave a temporary file that is half written; it is never put into place.
//
// What cannot be guarded against: a program that keeps the old file open and
// writes into it after it was replaced. Mode, owner and group of a replaced
// file are kept, or it is not replaced: that takes ownership of the file and
// membership in its group, or privilege. Extended attributes (access control
// lists, security labels) are not kept, and a hard link is cut.
package atomicfile
