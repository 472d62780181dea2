// Package attack is empty: its room stands so that the walls are tested from the start. docs/architecture.md tells what belongs here.
package attack
