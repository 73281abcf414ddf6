// Package passport makes the pages that a scan ends on, and the same as data: the
// passport of a unit, lot or product, the warning of a revoked one, and the pages of
// errors.
//
// # What it promises
//
// What a page, its JSON and its JSON-LD say of a product's attributes is what the
// product's DPP schema calls public, and nothing else: there is one way from
// attributes to either (publicAttributes), and it starts from the schema, not from what
// the product has. Without a schema nothing is public. What was revoked is not described
// at all. SKU, commercial status and everything else that is the brand's own never
// come here.
//
// A page needs no script and has none; nothing in it is inline, and it refers to its
// own host only, so that [ContentSecurityPolicy] holds for all of them. It is one
// style sheet and one document, with the battery schema's attributes under 20 KB
// together. Text has a contrast of 4.5:1 at least in light and dark (WCAG 2.2, 1.4.3),
// whatever accent a brand has chosen: where the accent carries text it is made
// darker or lighter until that holds, and the band at the top shows it as it is.
//
// A code is grouped for the eye by the style sheet, so that what is copied is the
// code. Days are in UTC: without script nobody knows the reader's zone.
//
// # Addresses
//
// The caller serves a page at Page.PageURL; with ?format=json or ?format=jsonld, which
// the page links to, its data. The style sheet and the logo are at [Directory] under the
// base's path, under names that are hashes of their content ([Renderer.Stylesheet],
// [LogoName]), so that they may be kept for ever. The button posts to [ActivatePath].
//
// # Languages
//
// A language is one file in messages, named by its language tag. Nothing else has to
// change for another one; a test compares its keys and verbs with English. Labels come
// from the schema in the page's language, else in English; titles of groups and words
// for units that are words come from the messages where they are there ("group.…",
// "unit.…"), else from the schema as they are.
//
// # JSON-LD
//
// One node, a schema:IndividualProduct (schema:Product for a lot or product) and
// gs1:Product, with the printed URL as its @id and an inline context, as GS1's own
// examples have it. Attributes are schema:PropertyValue nodes with the types of JSON,
// units by code of UN/CEFACT Recommendation 20 where there is one.
//
// # Speed
//
// What all units of a product have in common is made once for each product, schema and
// language, and remembered by their addresses in memory: a product that changed must be
// another [mintage.Product]. What is remembered is bounded.
//
// # How it fails
//
// The methods return an error only where a writer does, or by a fault of the program.
// Attributes that cannot be read are left out. Nothing is written before all of a page
// is made.
package passport
