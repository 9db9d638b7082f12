package mainjob

import (
	"testing"

	. "dev.bodyguard/conformance/harness"
)

// Most tests have a mesh of their own and wait most of their time: several run side by side, after those that need the
// machine to themselves (a rate, memory, a start that is interrupted at its very moment).
func TestMain(m *testing.M) { Main(m) }
