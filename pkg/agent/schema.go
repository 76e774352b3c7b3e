package agent

// The schema of a manifest, one line per field. api/agent-manifest.schema.json
// says the same for editors; a test holds the two together.

var (
	defaultBehavior    = Behavior{ResponseMode: "always"}
	defaultBudget      = Budget{MaxHopsPerMessage: 5, MaxCallsPerHour: 100}
	defaultTraits      = Traits{3, 3, 3, 3, 3, 3}
	defaultConventions = Conventions{true, true, true}
)

// Runtimes are the tools that an agent can run in.
func Runtimes() []string {
	return []string{
		"claude-code", "cursor", "codex", "opencode", "windsurf", "gemini", "cline", "roo-code",
		"copilot", "amazon-q", "continue", "augment", "jetbrains-ai", "kilo-code", "trae", "other",
	}
}

var (
	runtimes      = Runtimes()
	responseModes = []string{"always", "direct-only", "mention-only", "engaged", "silent"}
	efforts       = []string{"none", "minimal", "low", "medium", "high", "max", "xhigh"}
)

// member is one known key of an object and how its value is read.
type member[T any] struct {
	name     string
	required bool
	read     func(*reader, *T)
}

// In the order in which the original writes them.
var manifestMembers = []member[Manifest]{
	{"id", true, func(r *reader, m *Manifest) { m.ID = r.id() }},
	{"name", true, func(r *reader, m *Manifest) { m.Name = r.nonEmpty() }},
	{"displayName", false, func(r *reader, m *Manifest) { m.DisplayName = new(r.atMost(MaxDisplayName)) }},
	{"description", false, func(r *reader, m *Manifest) { m.Description = r.text() }},
	{"runtime", true, func(r *reader, m *Manifest) { m.Runtime = r.oneOf(runtimes) }},
	{"capabilities", false, func(r *reader, m *Manifest) { m.Capabilities = r.capabilities() }},
	{"behavior", false, func(r *reader, m *Manifest) { readObject(r, behaviorMembers, &m.Behavior) }},
	{"budget", false, func(r *reader, m *Manifest) { readObject(r, budgetMembers, &m.Budget) }},
	{"namespace", false, func(r *reader, m *Manifest) { m.Namespace = r.namespace() }},
	{"registeredAt", true, func(r *reader, m *Manifest) { m.RegisteredAt = r.instant() }},
	{"registeredBy", true, func(r *reader, m *Manifest) { m.RegisteredBy = r.nonEmpty() }},
	{"persona", false, func(r *reader, m *Manifest) { m.Persona = new(r.atMost(MaxPersona)) }},
	{"personaEnabled", false, func(r *reader, m *Manifest) { m.PersonaEnabled = r.boolean() }},
	{"traits", false, func(r *reader, m *Manifest) {
		m.Traits = new(defaultTraits)
		readObject(r, traitMembers, m.Traits)
	}},
	{"conventions", false, func(r *reader, m *Manifest) {
		m.Conventions = new(defaultConventions)
		readObject(r, conventionMembers, m.Conventions)
	}},
	{"color", false, func(r *reader, m *Manifest) { m.Color = new(r.text()) }},
	{"icon", false, func(r *reader, m *Manifest) { m.Icon = new(r.text()) }},
	{"isSystem", false, func(r *reader, m *Manifest) { m.IsSystem = r.boolean() }},
	{"model", false, func(r *reader, m *Manifest) { m.Model = r.lenient(nil) }},
	{"effort", false, func(r *reader, m *Manifest) { m.Effort = r.lenient(efforts) }},
	{"account", false, func(r *reader, m *Manifest) { m.Account = r.lenient(nil) }},
	{"enabledToolGroups", false, func(r *reader, _ *Manifest) { readObject(r, toolGroupMembers, &ignored{}) }},
	{"mcpServers", false, func(r *reader, _ *Manifest) {
		r.array(func(int) { readObject(r, serverMembers, &ignored{}) })
	}},
}

var behaviorMembers = []member[Behavior]{
	{"responseMode", false, func(r *reader, v *Behavior) { v.ResponseMode = r.oneOf(responseModes) }},
	{"escalationThreshold", false, func(r *reader, v *Behavior) { v.EscalationThreshold = r.number() }},
}

var budgetMembers = []member[Budget]{
	{"maxHopsPerMessage", false, func(r *reader, v *Budget) { v.MaxHopsPerMessage = r.integer(1, maxSafeInteger) }},
	{"maxCallsPerHour", false, func(r *reader, v *Budget) { v.MaxCallsPerHour = r.integer(1, maxSafeInteger) }},
}

var traitMembers = []member[Traits]{
	{"verbosity", false, func(r *reader, v *Traits) { v.Verbosity = r.dial() }},
	{"autonomy", false, func(r *reader, v *Traits) { v.Autonomy = r.dial() }},
	{"chaos", false, func(r *reader, v *Traits) { v.Chaos = r.dial() }},
	{"creativity", false, func(r *reader, v *Traits) { v.Creativity = r.dial() }},
	{"humor", false, func(r *reader, v *Traits) { v.Humor = r.dial() }},
	{"spice", false, func(r *reader, v *Traits) { v.Spice = r.dial() }},
}

var conventionMembers = []member[Conventions]{
	{"soul", false, func(r *reader, v *Conventions) { v.Soul = r.boolean() }},
	{"nope", false, func(r *reader, v *Conventions) { v.Nope = r.boolean() }},
	{"dorkosKnowledge", false, func(r *reader, v *Conventions) { v.DorkosKnowledge = r.boolean() }},
}

// ignored stands for what is checked and not used.
type ignored struct{}

var toolGroupMembers = []member[ignored]{
	{"tasks", false, func(r *reader, _ *ignored) { r.boolean() }},
	{"relay", false, func(r *reader, _ *ignored) { r.boolean() }},
	{"mesh", false, func(r *reader, _ *ignored) { r.boolean() }},
	{"adapter", false, func(r *reader, _ *ignored) { r.boolean() }},
}

// One bad server makes the whole manifest invalid: a tool that silently is not
// there is worse than an agent that says why it does not start.
var serverMembers = []member[ignored]{
	{"name", true, func(r *reader, _ *ignored) { r.token() }},
	{"enabled", false, func(r *reader, _ *ignored) { r.boolean() }},
	{"connection", true, func(r *reader, _ *ignored) { r.anyObject() }},
	{"addedAt", true, func(r *reader, _ *ignored) { r.instant() }},
	{"addedBy", true, func(r *reader, _ *ignored) { r.text() }},
}
