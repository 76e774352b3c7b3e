// Package story tells what happens to agents, one script per case: files are
// edited, moved, copied and lost, time passes, the controller stops, crashes
// and starts again. Everything is real (directories, the index, the relay, the
// queue) but time, which passes in a bubble.
//
// A script is the comment of a testdata/*.txtar; its files are what `write`
// puts into place. A line is a word and its arguments; lines below it that
// begin with a tab are what it is to print (run with -update to write them
// anew, and read what changed). Times are printed from the story's beginning.
//
//	option NAME=VALUE...       of the next start, as on the command line
//	manifest DIR ID [K=V...]   write DIR/.dork/agent.json
//	edit DIR K=V...            change fields of it (K= removes one)
//	write FILE                 a file of the archive
//	mv A B | cp A B | rm A | mkdir A | corrupt DIR
//	worktree MAIN LINKED       a linked git worktree with MAIN's files
//	unreadable DIR | readable DIR
//	unlisted | listed
//	mail ID NAME               a letter into the agent's mailbox
//	start | stop | restart     the controller; restart -boot: the machine too
//	sync | sweep               a resync, waited for or not
//	advance D                  time passes
//	step D | sleep D           the clock is set; the machine sleeps
//	crash-after ACTION, crash  what follows ACTION fails, until killed
//	fail CALL N                the next N calls of a port fail
//	deny DIR | undeny DIR
//	sql STATEMENT              as another writer of the index
//	agents | endpoints | rules | letters | problems | counts | left
//	release [ROOT] | restore ID | gone (what left the index, as the command lists it)
//	events [ID] | plan [+D] | rows COLUMN,... | tombstones
//	quiet                      a resync and an interval write nothing at all
package story
