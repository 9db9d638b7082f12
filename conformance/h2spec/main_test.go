package h2spec

import (
	"testing"

	. "dev.bodyguard/conformance/harness"
)

func TestMain(m *testing.M) { Main(m) }
