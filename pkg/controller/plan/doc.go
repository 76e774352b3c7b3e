// Package plan decides. Compute takes everything that was observed about one
// id, the policy and the time, and says what is to be done and why. It is pure:
// no clock, no I/O, no logger, the same answer for the same question, so that
// every case can be enumerated (see the exhaustive test).
//
// What is at stake is asymmetric: a late removal costs a ghost row, a wrong one
// costs a user's mail and identity. So every "cannot tell" resolves to: change
// nothing, say so, try again.
package plan
