package daemon

import (
	"reflect"
)

// changes names the settings whose value differs, and those of them that only
// a restart applies.
func changes(old, next *Settings) (changed, restart []string) {
	changed, restart = []string{}, []string{}
	for _, s := range Table() {
		if reflect.DeepEqual(s.value(&old.Config), s.value(&next.Config)) {
			continue
		}
		changed = append(changed, s.Name)
		if !s.Reloads {
			restart = append(restart, s.Name)
		}
	}
	return changed, restart
}

// keepFixed puts the values that take a restart back to what is running.
func keepFixed(next, running *Config) {
	for _, s := range Table() {
		if !s.Reloads {
			reflect.ValueOf(s.bind(next)).Elem().Set(reflect.ValueOf(s.bind(running)).Elem())
		}
	}
	next.ManagedHome, next.SocketFallback = running.ManagedHome, running.SocketFallback
}
