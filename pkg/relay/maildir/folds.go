package maildir

// folds finds the mailbox that differs from a name in letter case only, in
// constant time. Reading the directory for each registration, as the original
// does, is quadratic.
//
// It knows what the last List saw and what was made here since. A variant that
// somebody else made in between is not seen before the next List, which shows
// it to the planner: two ids with one fold.
type folds struct {
	loaded bool
	byFold map[string]string
}

func (f *folds) add(name string) {
	if f.byFold == nil {
		f.byFold = map[string]string{}
	}
	f.byFold[fold(name)] = name
}

func (f *folds) remove(name string) {
	if f.byFold[fold(name)] == name {
		delete(f.byFold, fold(name))
	}
}

// variant is an existing name that differs from name in letter case only.
func (f *folds) variant(name string) (string, bool) {
	v, ok := f.byFold[fold(name)]
	return v, ok && v != name
}

func (f *folds) knows(name string) bool { return f.byFold[fold(name)] == name }
