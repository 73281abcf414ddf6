// Package catalogue keeps what a brand tells mintage before it mints: products,
// DPP schemas and production batches, one at a time or from CSV files.
//
// # What it promises
//
// A use case takes the brand from its principal and from nowhere else. A change
// and the event that tells of it are one transaction; what changes nothing
// writes nothing and leaves no event, so that an ERP may push all it knows every
// night. Events carry the old and new status where the status changed, and the
// names of changed fields, never their values.
//
// GTINs are stored with 14 digits, however they were written. An SKU that is
// taken from a GTIN is the GTIN as written. Several products may carry one GTIN:
// who may mint with it is decided when minting. Attributes are a JSON object of
// at most 64 KiB and 20 levels without a name given twice; numbers keep their
// digits. Whether they satisfy the DPP schema is preflight's question: a
// catalogue is filled step by step, and an incomplete product is no error.
//
// A production batch changes under its lock, so no mint request can commit
// against the old figure meanwhile. What contradicts the committed figure is
// refused with BELOW_COMMITTED.
//
// # CSV files
//
// The file is UTF-8, with or without a byte order mark; cells are separated by
// commas or semicolons (the header tells), quoted as in RFC 4180; lines end in
// LF or CRLF. The first row names the columns, in any order. Capitals, spaces,
// underscores and hyphens in headings make no difference.
//
//	products
//	  name               required
//	  sku, gtin          one of them required; without an SKU it is the GTIN
//	  commercial_status  or status: DRAFT, ACTIVE (of new products), DISCONTINUED
//	  dpp_schema         the id of a DPP schema
//	  dpp.<attribute>    an attribute, of the type that the row's schema gives it;
//	                     lists and objects are JSON text
//	production batches
//	  code               required
//	  quantity           required: plain digits
//	  status             required: PLANNED, READY or CLOSED
//	  sku, product_id    one of them required; both only if they agree
//
// Other columns are ignored and listed in the summary. A row is found again by
// its SKU or code: importing a file twice changes nothing the second time, and a
// later row about the same SKU or code is a change like any other.
//
// An empty cell changes nothing, as if the file did not have the column: an
// import never erases. (A new product or production batch gets the default, or is
// refused where there is none.) To take a value away, use UpdateProduct. Space
// around cells is dropped; status values may be in lower case.
//
// Rows are numbered as a spreadsheet numbers them: the header is row 1, a blank
// row counts, a row with line ends inside its quotes is one. Blank rows, also
// those of separators only, are skipped and not reported.
//
// Other packages import their own kinds of files in the same way: see [Import].
//
// Files are read in constant memory and stored in transactions of at most 500
// rows; where two imports meet in the same rows, row by row, so that neither
// waits for the other in a circle. Rows are reported in order, once they are
// stored.
//
// # How it fails
//
// Errors are a [mintage.Error]: INVALID_INPUT for what can never work, with the
// field; CONFLICT for an SKU or schema id that is taken; NOT_FOUND for a product
// or production batch that is not the brand's (where one is only mentioned, as a
// production batch mentions its product, that is INVALID_INPUT); BELOW_COMMITTED;
// and the store's own.
//
// An import refuses a file as a whole, before anything is stored, where its
// encoding or header makes every row meaningless: UTF-16, no header, a required
// column missing, a column twice. Otherwise a bad row costs only itself and is
// reported with its number, column, code and what to do; its cells are not
// repeated. A row with a quote that is not closed costs one line of the file: the
// next line is read as a row again. A row of more than 256 KiB is refused.
//
// Where the file stops arriving, where the caller's function fails or where the
// store does, the import ends with that error. What was stored stays, and the
// summary counts it; importing the file again does the rest.
package catalogue
