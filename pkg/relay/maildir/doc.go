// Package maildir is the relay in the original's format on disk: a mailbox
// directory per endpoint and one file of access rules.
//
//	<dir>/mailboxes/<subject>/{tmp,new,cur,failed}/
//	<dir>/access-rules.json
//	<dir>/removed/<subject>.<timestamp>/     ours: mail kept aside
//
// Neither is ours alone. Mailboxes of other forms count as nothing, rules that
// are not the exact ones of a namespace keep their bytes and their order. A
// rules file that cannot be read is never written, moved or repaired.
//
// Mail is only ever moved, by renames that overwrite nothing, and directories
// go by rmdir, which fails on a letter that landed in the meantime.
//
// A DorkOS that runs beside it keeps its endpoints in memory and would swallow
// the mail of a mailbox that is taken from it: such a step waits, see dorkos.go.
package maildir
