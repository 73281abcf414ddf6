// Package dpp knows which attributes a product must have before a digital
// product passport (DPP) identity may be minted for it.
//
// # Promise
//
// A DPP schema is a JSON Schema (2020-12) with annotations of ours, all of
// which start with "x-mintage-". [Parse] reads one, [Schema.Check] compares a
// product's attributes with it. Check returns nil if and only if the product
// may be minted as far as its DPP attributes are concerned; otherwise it names
// every missing and every invalid field at once, each by its JSON pointer, in an
// order that depends on nothing but the schema and the attributes. It never
// repeats a value: attributes can be confidential, and messages end up in logs.
//
// Only what is known before the first unit exists can be demanded of it. So
// each attribute has a level, and Check looks at level "model" alone. Attributes
// of level "batch" or "item" (a battery's state of health, for one) are described
// by the schema, but neither demanded nor checked when minting.
//
// An attribute that is null, empty or blank counts as absent, because that is
// how ERP systems export a cell that nobody filled in.
//
// # Annotations
//
// On the schema itself: x-mintage-version and x-mintage-provisional (no law
// prescribes this yet). On each property of the top level:
//
//	x-mintage-label   its name for people, by language: {"en": "…", "de": "…"}
//	x-mintage-unit    unit of its value, as printed
//	x-mintage-access  who may see it: public, legitimate_interest or authorities
//	x-mintage-level   model (the default), batch or item
//	x-mintage-group   where it stands on the passport page
//	x-mintage-source  the article or annex that asks for it
//
// Labels and units may also stand further down. One more keyword, x-mintage-sum,
// is an assertion: {"member": "percent", "equals": 100} on a list of objects says
// what their members must add up to, exactly, which JSON Schema cannot say.
// Unknown x-mintage- keywords are refused, so that a misspelt one is noticed.
//
// # Access classes
//
// The classes are those of Annex XIII of Regulation (EU) 2023/1542: what its
// point 1 lists is public; point 2 is for persons with a legitimate interest and
// the Commission; point 3 for notified bodies, market surveillance authorities
// and the Commission; point 4, on the individual battery, for persons with a
// legitimate interest. By Article 77(2)(b) the authorities may see point 2 as
// well. A field without an access class is not public: forgetting it must hide
// a value, never publish it. The class belongs to a whole top-level attribute;
// parts of it cannot be more, or less, secret than the rest.
//
// The battery schema follows Annex XIII, and through its point 1(a) the label
// information of Part A of Annex VI. It demands less than the law does before a
// battery is sold: only what an ERP system holds once a model is released. The
// textile schema is provisional. No delegated act for textiles exists under Regulation
// (EU) 2024/1781, so it joins what Regulation (EU) No 1007/2011 already asks of a
// label with candidates from Annex III of Regulation (EU) 2024/1781; its access
// classes are our proposal.
//
// # How it fails
//
// Parse returns a [mintage.Error] with code INVALID_INPUT that says what is wrong
// and, where it can, at which pointer of the document. Nothing outside the
// document is ever read: a reference to another document is refused, not
// fetched. Because a brand may bring its own schema, Parse also refuses what
// could be used to tire the server: large or deep documents, references that go
// in a circle or unfold into too many schemas, and numbers with huge exponents.
// Patterns are RE2, which runs in linear time. $dynamicRef (it hides circles)
// and propertyNames (the validator can report its failures at the wrong place)
// are refused too.
//
// Check itself cannot fail: attributes that are not a JSON object, or far too many,
// are a problem like any other, with the empty pointer. A [Schema] never changes and may be
// used by any number of goroutines.
package dpp
