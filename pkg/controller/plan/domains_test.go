package plan_test

import (
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/controller/plan"
)

func yesNo(name string) []choice[bool] {
	return []choice[bool]{{name, true}, {"not " + name, false}}
}

// homes are all answers of a recorded place.
func homes(path string) []choice[*plan.Home] {
	return []choice[*plan.Home]{
		{"home Present", homeOf(lookPresent(path, self))},
		{"home Present on another volume", with(homeOf(lookPresent(path, self)), onStick)},
		{"home Present and edited", with(homeOf(lookPresent(path, self)), edited)},
		{"home Present, managed and system", with(homeOf(lookPresent(path, self)), managed)},
		{"home Present, namespace reserved", with(homeOf(lookPresent(path, self)), reserved)},
		{"home Present and denied", with(homeOf(lookPresent(path, self)), denied)},
		{"home OtherAgent", homeOf(lookPresent(path, neighbour))},
		{"home OtherAgent on another volume", with(homeOf(lookPresent(path, neighbour)), onStick)},
		{"home Invalid", homeOf(lookInvalid(path))},
		{"home Unknown", homeOf(lookUnknown(path))},
		{"home ManifestMissing", homeOf(lookFileMissing(path))},
		{"home ManifestMissing on another volume", with(homeOf(lookFileMissing(path)), onStick)},
		{"home PathMissing", homeOf(lookDirMissing(path))},
		{"home PathMissing on another volume", with(homeOf(lookDirMissing(path)), onStick)},
		{"home PathMissing, never Present, anchor there", with(homeOf(lookDirMissing(path)), neverPresent)},
		{"home PathMissing, never Present, anchor gone", with(homeOf(lookDirMissing(path)), neverPresent, anchorGone)},
		{"home PathMissing and denied", with(homeOf(lookDirMissing(path)), denied)},
	}
}

func with(h *plan.Home, change ...func(*plan.Home)) *plan.Home {
	for _, c := range change {
		c(h)
	}
	return h
}

func onStick(h *plan.Home)      { h.Look.Mount = stick }
func denied(h *plan.Home)       { h.Denied = true }
func neverPresent(h *plan.Home) { h.RootMount = agent.Mount{} }
func anchorGone(h *plan.Home)   { h.Look.AnchorGone = true }
func edited(h *plan.Home)       { h.Look.Manifest.Name = "edited" }

func managed(h *plan.Home) {
	h.Look.Manifest.IsSystem = true
	h.Place.Managed = true
}

func reserved(h *plan.Home) { h.Place.Problem = reservedNamespace() }

func reservedNamespace() *agent.Violation {
	return &agent.Violation{Field: "namespace", Message: "reserved"}
}

// rows are all rows of the id.
func rows() []choice[*agent.Record] {
	return []choice[*agent.Record]{
		{"row in sync", rowAt(homePath)},
		{"row unreachable", edit(rowAt(homePath), func(r *agent.Record) { r.Status = agent.Unreachable })},
		{"row with another name", edit(rowAt(homePath), func(r *agent.Record) {
			r.Fields[agent.FieldName] = agent.TextCell("old")
			r.Fields[agent.FieldTraits] = agent.TextCell("somebody else's")
		})},
		{"row with another namespace", edit(rowAt(homePath), func(r *agent.Record) { r.Fields[agent.FieldNamespace] = agent.TextCell("old") })},
		{"row of another scan root", edit(rowAt(homePath), func(r *agent.Record) { r.ScanRoot = "/elsewhere" })},
		{"row of a system agent", edit(rowAt(homePath), func(r *agent.Record) { r.Fields[agent.FieldIsSystem] = agent.BoolCell(true) })},
		{"row with a malformed cell", edit(rowAt(homePath), func(r *agent.Record) {
			r.Fields[agent.FieldCapabilities] = agent.Cell{Kind: agent.Other}
			r.Status = "inactive"
		})},
	}
}

func edit(r *agent.Record, change func(*agent.Record)) *agent.Record {
	change(r)
	return r
}

// someStates are the memories that matter to identity.
func someStates() []choice[*agent.State] {
	return []choice[*agent.State]{
		{"nothing remembered", nil},
		{"remembers another mount, paused", &agent.State{ID: self, Mount: stick, Paused: true}},
		{"missing, grace over", missingFor(grace, agent.DirMissing)},
		{"volume missing, grace over", missingFor(unmounted, agent.VolumeGone)},
	}
}

// allStates are the clocks, around every bound.
func allStates() []choice[*agent.State] {
	all := []choice[*agent.State]{
		{"nothing remembered", nil},
		{"paused", &agent.State{ID: self, Paused: true}},
		{"remembers another mount", &agent.State{ID: self, Mount: stick}},
		{"missing from now", missingFor(0, agent.FileMissing)},
		{"missing from the future", missingFor(-time.Hour, agent.FileMissing)},
		{"clock in the future only", tick(missingFor(2*grace, agent.FileMissing), func(s *agent.Stamp) { s.Wall = now.Wall.Add(1) })},
		{"missing to the grace less 1ns", missingFor(grace-1, agent.FileMissing)},
		{"missing to the grace", missingFor(grace, agent.FileMissing)},
		{"missing to the grace, held, paused", remembering(missingFor(grace, agent.FileMissing), func(s *agent.State) { s.Held, s.Paused = true, true })},
		{"missing to the grace, index was lost", remembering(missingFor(grace, agent.FileMissing), func(s *agent.State) { s.Lost = true })},
		{"missing to the grace on another mount", remembering(missingFor(grace, agent.FileMissing), func(s *agent.State) { s.Mount = stick })},
		{"missing to the grace, mount unknown", remembering(missingFor(grace, agent.FileMissing), func(s *agent.State) { s.Mount = agent.Mount{} })},
		{"missing to the grace by a step forward", tick(missingFor(grace, agent.FileMissing), func(s *agent.Stamp) { s.Offset-- })},
		{"missing beyond a step forward", tick(missingFor(3*grace, agent.FileMissing), func(s *agent.Stamp) { s.Offset -= 2 * grace })},
		{"missing to the grace, stepped backward", tick(missingFor(grace, agent.FileMissing), func(s *agent.Stamp) { s.Offset += grace })},
		{"missing to the grace in another boot", tick(missingFor(grace, agent.FileMissing), otherBoot)},
		{"missing to the grace less 1ns in another boot", tick(missingFor(grace-1, agent.FileMissing), otherBoot)},
		{"volume missing to the grace", missingFor(grace, agent.VolumeGone)},
		{"volume missing to its grace less 1ns", missingFor(unmounted-1, agent.VolumeGone)},
		{"volume missing to its grace", missingFor(unmounted, agent.VolumeGone)},
		{"volume missing to its grace, held", remembering(missingFor(unmounted, agent.VolumeGone), func(s *agent.State) { s.Held = true })},
	}
	return all
}

func otherBoot(s *agent.Stamp) { s.BootID, s.Offset = "earlier boot", -1000*time.Hour }

func tick(s *agent.State, change func(*agent.Stamp)) *agent.State {
	change(&s.Clock)
	return s
}

func remembering(s *agent.State, change func(*agent.State)) *agent.State {
	change(s)
	return s
}

// kinds are what a place other than home may turn out to be.
func kinds(path string) []choice[*plan.Claim] {
	kind := func(name string, c plan.Claim, change func(*plan.Claim)) choice[*plan.Claim] {
		if change != nil {
			change(&c)
		}
		return choice[*plan.Claim]{name + " at " + path, &c}
	}
	here := func() plan.Claim { return claimAt(path) }
	return []choice[*plan.Claim]{
		{"nothing at " + path, nil},
		kind("copy", here(), nil),
		kind("worktree", here(), func(c *plan.Claim) { c.Look.Worktree = true }),
		kind("copy in a reserved namespace", here(), func(c *plan.Claim) { c.Place.Problem = reservedNamespace() }),
		kind("denied copy", here(), func(c *plan.Claim) { c.Denied = true }),
		kind("recorded directory", here(), func(c *plan.Claim) { c.Look.Dir = dirOf(homePath) }),
		kind("shared directory", here(), func(c *plan.Claim) { c.Look.Dir = dirOf("/shared") }),
		kind("copy on an incomplete listing", here(), func(c *plan.Claim) { c.Complete = false }),
		kind("copy refused before", here(), func(c *plan.Claim) { c.RefusedBefore = true }),
		kind("copy over an incumbent", here(), func(c *plan.Claim) { c.Incumbent = &plan.Incumbent{ID: neighbour, Mount: disk} }),
		kind("copy on a volume over an incumbent", here(), func(c *plan.Claim) {
			c.Look.Mount = stick
			c.Incumbent = &plan.Incumbent{ID: neighbour, Mount: disk}
		}),
		kind("other agent", claimOf(lookPresent(path, neighbour)), nil),
		kind("invalid", claimOf(lookInvalid(path)), nil),
		kind("unknown", claimOf(lookUnknown(path)), nil),
		kind("nothing any more", claimOf(lookFileMissing(path)), nil),
	}
}

// singleClaims are no claim and each kind alone.
func singleClaims() []choice[[]plan.Claim] {
	var all []choice[[]plan.Claim]
	for _, k := range kinds(zuluPath) {
		c := choice[[]plan.Claim]{name: k.name}
		if k.value != nil {
			c.value = []plan.Claim{*k.value}
		}
		all = append(all, c)
	}
	return all
}

// claimPairs are every kind at one place with every kind at another.
func claimPairs() []choice[[]plan.Claim] {
	var all []choice[[]plan.Claim]
	for _, a := range kinds(alphaPath) {
		for _, z := range kinds(zuluPath) {
			c := choice[[]plan.Claim]{name: a.name + ", " + z.name}
			for _, k := range []*plan.Claim{a.value, z.value} {
				if k != nil {
					c.value = append(c.value, *k)
				}
			}
			all = append(all, c)
		}
	}
	return all
}

// someRelays are the states of the relay that matter to identity.
func someRelays() []choice[plan.Relay] {
	elsewhere := healthyRelay()
	elsewhere.Endpoints = []agent.Endpoint{endpoint("q")}
	elsewhere.Rules = map[string]agent.RuleSet{"q": {Deny: true, Allow: true}}
	degraded := plan.Relay{Enabled: true, Degraded: "does not parse", Endpoints: []agent.Endpoint{endpoint("p")}}
	return []choice[plan.Relay]{
		{"relay healthy", healthyRelay()},
		{"relay with an address elsewhere", elsewhere},
		{"relay degraded", degraded},
		{"relay empty", plan.Relay{Enabled: true}},
		{"relay down", plan.Relay{Enabled: true, Down: "connection refused"}},
	}
}

// standing is how an id stands in the index: with a row, or displaced.
type standing struct {
	row   *agent.Record
	stone *agent.Tombstone
}

func standings() []choice[standing] {
	return []choice[standing]{
		{"row active", standing{row: rowAt(homePath)}},
		{"row unreachable", standing{row: rows()[1].value}},
		{"displaced", standing{stone: tombstone(agent.Displaced, homePath)}},
	}
}

// orders are all intents, also about places that do not carry the id.
func orders() []choice[plan.Order] {
	var all []choice[plan.Order]
	add := func(r agent.Reason, paths ...string) {
		for _, p := range paths {
			all = append(all, choice[plan.Order]{"order " + string(r) + " " + p, plan.Order{Reason: r, Path: p}})
		}
	}
	add(agent.Registered, homePath, alphaPath, zuluPath)
	add(agent.Relocated, homePath, alphaPath, zuluPath)
	add(agent.Updated, homePath)
	add(agent.Unregistered, "")
	return all
}

// ordered is how an id with a row stands when an order comes.
type ordered struct {
	row   *agent.Record
	stone *agent.Tombstone
	state *agent.State
}

func orderedRows() []choice[ordered] {
	return []choice[ordered]{
		{"row active", ordered{row: rowAt(homePath)}},
		{"row of a due orphan", ordered{row: rows()[1].value, state: missingFor(grace, agent.DirMissing)}},
		{"row with another namespace", ordered{row: rows()[3].value}},
		{"row of an unregistered agent", ordered{row: rowAt(homePath), stone: tombstone(agent.Unregistered, homePath)}},
	}
}

// stonesBeside are the tombstones that a row may have beside it.
func stonesBeside() []choice[*agent.Tombstone] {
	carriedOut := func(r agent.Reason) *agent.Tombstone {
		t := tombstone(r, homePath)
		t.Evidence = "{}"
		return t
	}
	old := carriedOut(agent.Removed)
	old.At = now.Wall.Add(-2 * unmounted)
	return []choice[*agent.Tombstone]{
		{"tombstone Unregistered", tombstone(agent.Unregistered, homePath)},
		{"tombstone Unregistered, interrupted", carriedOut(agent.Unregistered)},
		{"tombstone Removed, interrupted", carriedOut(agent.Removed)},
		{"tombstone Removed, of another time", old},
		{"tombstone Denied, interrupted", carriedOut(agent.Denied)},
		{"tombstone Displaced", tombstone(agent.Displaced, homePath)},
	}
}

// review is how an absence is judged: on too few looks, on enough, on none.
type review struct {
	looked
	policy plan.Policy
}

func reviews() []choice[review] {
	return []choice[review]{
		{"one look", review{looked{1, 0}, daemon}},
		{"settled", review{looked{2, settle}, daemon}},
		{"forecast", review{looked{0, 0}, policies()[2].value}},
	}
}

// looked is how well an absence was looked at.
type looked struct {
	looks int
	since time.Duration
}

func looks() []choice[looked] {
	return []choice[looked]{
		{"one look", looked{1, 0}},
		{"two looks, less than settle", looked{2, settle - 1}},
		{"two looks, settled", looked{2, settle}},
		{"one look, long ago", looked{1, time.Hour}},
	}
}

func look(b *builder, l looked) { b.o.Looks, b.o.AbsentFor = l.looks, l.since }

// guards are what stops a removal apart from the clock.
func guards() []choice[string] {
	return []choice[string]{{"no guard", ""}, {"incomplete", "incomplete"}, {"index lost", "lost"}, {"mass hold", "mass"}, {"mass hold is over", "over"}, {"mass hold returned", "returned"}, {"index lost long ago", "long lost"}}
}

func guard(b *builder, g string) {
	switch g {
	case "incomplete":
		b.o.Complete = false
	case "twin":
		b.o.Twin = "SELF"
	case "lost":
		b.o.IndexLost, b.o.LostSince = true, now.Wall.Add(-time.Hour)
	case "long lost":
		b.o.IndexLost, b.o.LostSince = true, now.Wall.Add(-2*unmounted)
	case "mass":
		b.o.Mass = &plan.Hold{Reason: agent.MassMissing, Since: now.Wall.Add(-time.Hour), Until: now.Wall.Add(1)}
	case "returned":
		b.o.MassReturned = true
	case "over":
		b.o.Mass = &plan.Hold{Reason: agent.MassMissing, Since: now.Wall.Add(-time.Hour), Until: now.Wall}
	}
}

func rowlessGuards() []choice[string] {
	return append(guards()[:3], choice[string]{"case twin at home", "twin"})
}

// policies are the daemon's, the one-shot's, and graces that are unusual.
func policies() []choice[plan.Policy] {
	change := func(change func(*plan.Policy)) plan.Policy {
		p := daemon
		change(&p)
		return p
	}
	return []choice[plan.Policy]{
		{"daemon", daemon},
		{"one-shot", oneShot},
		{"forecast", change(func(p *plan.Policy) { p.Forecast = true })},
		{"never unmounted", change(func(p *plan.Policy) { p.UnmountedGrace = 0 })},
		{"grace below settle", change(func(p *plan.Policy) { p.OrphanGrace, p.UnmountedGrace = time.Second, time.Second })},
		{"no grace", change(func(p *plan.Policy) { p.OrphanGrace, p.UnmountedGrace = 0, 1 })},
	}
}

// tomb is a tombstone with a fresh look at its path.
type tomb struct {
	stone *agent.Tombstone
	home  *plan.Home
}

func tombs() []choice[*tomb] {
	all := []choice[*tomb]{{"no tombstone", &tomb{}}}
	add := func(r agent.Reason, path string, homes []choice[*plan.Home]) {
		for _, h := range homes {
			all = append(all, choice[*tomb]{"tombstone " + string(r) + ", " + h.name + " at " + path, &tomb{tombstone(r, path), h.value}})
		}
	}
	add(agent.Displaced, homePath, homes(homePath))
	add(agent.Displaced, alphaPath, homes(alphaPath))
	add(agent.Removed, homePath, homes(homePath))
	add(agent.Denied, homePath, homes(homePath)[5:6])
	add(agent.Unregistered, homePath, homes(homePath)[9:11])
	return all
}

func rowlessStates() []choice[*agent.State] {
	return append(someStates(), choice[*agent.State]{
		"missing to the grace, index was lost",
		remembering(missingFor(grace, agent.FileMissing), func(s *agent.State) { s.Lost = true }),
	})
}

// scene is a kind of plan to which the relay has to follow.
type scene struct{ o plan.Observation }

func scenes() []choice[*scene] {
	var all []choice[*scene]
	add := func(name string, change func(*plan.Observation)) {
		o := steady()
		change(&o)
		all = append(all, choice[*scene]{name, &scene{o}})
	}
	for _, r := range rows() {
		for _, h := range homes(homePath) {
			add(r.name+", "+h.name, func(o *plan.Observation) { o.Row, o.Home = r.value, h.value })
			add(r.name+", "+h.name+", moved", func(o *plan.Observation) {
				o.Row, o.Home = r.value, h.value
				o.Claims = []plan.Claim{claimAt(zuluPath)}
			})
			add(r.name+", "+h.name+", due", func(o *plan.Observation) {
				o.Row, o.Home, o.State = r.value, h.value, missingFor(unmounted, agent.Unknown)
			})
		}
	}
	for _, s := range []choice[*tomb]{
		{"no tombstone", &tomb{}},
		{"displaced", &tomb{tombstone(agent.Displaced, homePath), homeOf(lookPresent(homePath, neighbour))}},
		{"removed", &tomb{tombstone(agent.Removed, homePath), homeOf(lookDirMissing(homePath))}},
	} {
		for _, state := range someStates() {
			add(s.name+", "+state.name, func(o *plan.Observation) {
				o.Row, o.Tombstone, o.Home, o.State = nil, s.value.stone, s.value.home, state.value
			})
			add(s.name+", "+state.name+", back", func(o *plan.Observation) {
				o.Row, o.Tombstone, o.Home, o.State = nil, s.value.stone, s.value.home, state.value
				o.Claims = []plan.Claim{claimAt(zuluPath)}
			})
		}
	}
	return all
}

// endpointSets are none, right, half made, elsewhere and combinations.
func endpointSets() []choice[[]agent.Endpoint] {
	half := endpoint("p")
	half.Whole = false
	return []choice[[]agent.Endpoint]{
		{"no address", nil},
		{"address", []agent.Endpoint{endpoint("p")}},
		{"half an address", []agent.Endpoint{half}},
		{"address elsewhere", []agent.Endpoint{endpoint("q")}},
		{"address and one elsewhere", []agent.Endpoint{endpoint("p"), endpoint("q")}},
		{"half an address and one elsewhere", []agent.Endpoint{half, endpoint("q")}},
		{"two addresses elsewhere", []agent.Endpoint{endpoint("old"), endpoint("q")}},
	}
}

func ruleSets() []choice[map[string]agent.RuleSet] {
	base := agent.RuleSet{Deny: true, Allow: true}
	all := agent.RuleSet{Deny: true, Allow: true, SystemOut: true, SystemIn: true}
	return []choice[map[string]agent.RuleSet]{
		{"no rules", nil},
		{"deny only", map[string]agent.RuleSet{"p": {Deny: true}}},
		{"rules", map[string]agent.RuleSet{"p": base}},
		{"rules everywhere", map[string]agent.RuleSet{"p": base, "q": base, "old": base}},
		{"system rules", map[string]agent.RuleSet{"p": all}},
		{"half the system rules", map[string]agent.RuleSet{"p": {Deny: true, Allow: true, SystemOut: true}, "q": {Allow: true}}},
	}
}

func sharing() []choice[map[string]bool] {
	return []choice[map[string]bool]{{"alone", nil}, {"with others", map[string]bool{"p": true, "q": true, "old": true}}}
}

func relayModes() []choice[string] {
	return []choice[string]{{"relay on", "on"}, {"relay off", "off"}, {"relay degraded", "degraded"}, {"relay down", "down"}}
}

// contests are the values that another writer keeps putting back: those that
// are wanted, ones that are not wanted (any more), and both.
func contests() []choice[map[string]string] {
	name := manifestOf(self).Name
	return []choice[map[string]string]{
		{"name contested", map[string]string{"name": name}},
		{"edited name contested", map[string]string{"name": "edited"}},
		{"active contested", map[string]string{"status": agent.Active}},
		{"unreachable contested", map[string]string{"status": agent.Unreachable}},
		{"name, capabilities and active contested", map[string]string{"name": name, "capabilities": "[]", "status": agent.Active}},
		{"namespace contested", map[string]string{"namespace": "p", "isSystem": "0"}},
		{"scan root contested", map[string]string{"scanRoot": root}},
	}
}
