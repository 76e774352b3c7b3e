// Package hostile puts a hundred trees that mean harm among nine hundred that
// do not, and sees that the nine hundred never notice.
package hostile
