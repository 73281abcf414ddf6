// Package agent says coarsely who opened a printed URL, and whether that may activate
// a unit.
//
// # What it promises
//
// [Of] reads a request's method and four kinds of headers and nothing else: User-Agent
// and Accept for the class, those that announce a prefetch, and Accept-Language. The
// classes are a phone, a desktop, a machine (a program that somebody uses, such as
// curl or the scanner app of a warehouse; it activates like a phone) and a robot (it
// opens what nobody has tapped, and never activates; so does a program that sends the name
// of its HTTP library and none of its own, as scanners of links do). HEAD, prefetches and requests
// without a User-Agent count as a robot's. [Network] cuts an address down to what
// leads to no person. None of it is kept here, apart from a bounded memory of headers
// and their classes, which is a matter of speed.
//
// The list of names is agents.txt; its head says how it is read and where it comes
// from. To add a name, add a line; a test finds the ones that have no effect.
//
// # How it fails
//
// It does not: what cannot be read counts as absent. But it believes what it is told.
// A robot that takes a browser's name, as the scanners of Outlook's Safe Links mostly
// do, counts as a person. For brands whose mails and chats are full of those there is
// the setting that asks for a tap (mintage.Brand.TapToActivate).
package agent
