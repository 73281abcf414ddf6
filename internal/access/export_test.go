package access

// What tests see of the inside.

// ParseKey takes an API key's text apart.
func ParseKey(text string) (id, secret string, ok bool) { return parseKey(text) }

// CheckPassword is the rule for a password of a user.
var CheckPassword = checkPassword

// Wait returns when everything that was left for later is done.
func (s *Service) Wait() { s.later.wait() }

// HoldPasswords takes every turn to compute a hash, until release is called.
func (s *Service) HoldPasswords() (release func()) {
	for range hashesAtOnce {
		s.passwords.slots <- struct{}{}
	}
	return func() {
		for range hashesAtOnce {
			<-s.passwords.slots
		}
	}
}
