// Package faults breaks a running mesh on purpose and looks at what its callers notice.
package faults

import (
	"testing"

	. "dev.bodyguard/conformance/harness"
)

func TestMain(m *testing.M) { Main(m) }
