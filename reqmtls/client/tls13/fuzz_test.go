package tls13

import (
	"testing"

	"github.com/tlsflags/tlsflags/internal/fuzzing"
)

func FuzzConversation(f *testing.F) {
	fuzzing.Run[*testing.T](f, conversationSeeds, checkConversationInput)
}
