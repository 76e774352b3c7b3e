package agent

import "strconv"

// Manifest is a decoded agent.json: only what the controller uses. Everything
// else in the file is checked against the schema and left alone.
type Manifest struct {
	ID           ID
	Name         string
	Runtime      string
	RegisteredAt string // RFC 3339 ending in Z, as written
	RegisteredBy string

	Description  string
	Capabilities []string
	Behavior     Behavior
	Budget       Budget
	Namespace    string // as written; "" or blank: derive it
	// Absent optional fields are nil, which becomes NULL.
	DisplayName *string
	Persona     *string
	Color       *string
	Icon        *string
	Model       *string
	Effort      *string
	Account     *string

	PersonaEnabled bool // absent: true
	Traits         *Traits
	Conventions    *Conventions
	IsSystem       bool // counts only under the managed home
}

// Behavior says when an agent answers.
type Behavior struct {
	ResponseMode string
	// EscalationThreshold is the number as JSON.stringify would write it; ""
	// where the manifest has none.
	EscalationThreshold string
}

// Budget bounds what an agent may do; the original dropped it from its schema
// later, older indexes still hold it.
type Budget struct{ MaxHopsPerMessage, MaxCallsPerHour int64 }

// Traits are six dials from 1 to 5.
type Traits struct{ Verbosity, Autonomy, Chaos, Creativity, Humor, Spice int }

// Conventions are three switches.
type Conventions struct{ Soul, Nope, DorkosKnowledge bool }

// Violation says what is wrong with a manifest and where.
type Violation struct {
	// Field is the JSON path of the offending member ("behavior.responseMode"),
	// "" where the file as a whole is at fault.
	Field string
	// Line and Column are 1-based, Column in bytes; 0 where there is no place.
	Line, Column int
	// Message says what is wrong and what is expected, without Field and place.
	Message string
}

// Error reads "line 3, column 12: capabilities: expected an array of strings".
func (v *Violation) Error() string {
	s := v.Message
	if v.Field != "" {
		s = v.Field + ": " + s
	}
	if v.Line > 0 {
		s = "line " + strconv.Itoa(v.Line) + ", column " + strconv.Itoa(v.Column) + ": " + s
	}
	return s
}
