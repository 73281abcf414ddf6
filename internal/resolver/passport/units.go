package passport

// unitCodes are the common codes of UN/CEFACT Recommendation 20, by
// the units as DPP schemas print them. A unit that is not here is given as text.
var unitCodes = map[string]string{
	"%":   "P1",
	"ppm": "59",

	"mg": "MGM", "g": "GRM", "kg": "KGM", "t": "TNE",
	"mm": "MMT", "cm": "CMT", "m": "MTR", "km": "KMT",
	"mm²": "MMK", "cm²": "CMK", "m²": "MTK",
	"cm³": "CMQ", "m³": "MTQ", "ml": "MLT", "l": "LTR", "L": "LTR",
	"g/m²": "GM", "kg/m²": "28", "g/cm³": "23", "kg/m³": "KMQ", "g/l": "GL", "mg/l": "M1",

	"mV": "2Z", "V": "VLT", "kV": "KVT",
	"mA": "4K", "A": "AMP",
	"mAh": "E09", "Ah": "AMH",
	"W": "WTT", "kW": "KWT", "MW": "MAW",
	"Wh": "WHR", "kWh": "KWH", "MWh": "MWH", "J": "JOU", "kJ": "KJO",
	"mΩ": "E45", "Ω": "OHM",
	"Hz": "HTZ", "kHz": "KHZ", "MHz": "MHZ",

	"°C": "CEL", "K": "KEL",
	"N": "NEW", "Pa": "PAL", "kPa": "KPA", "bar": "BAR",
	"dB": "2N", "lx": "LUX", "lm": "LUM", "W/m²": "D54",

	"s": "SEC", "min": "MIN", "h": "HUR", "d": "DAY",
	"hours": "HUR", "days": "DAY", "weeks": "WEE", "months": "MON", "years": "ANN",
	"cycles": "B7",
	"dtex":   "A47", "tex": "D34", "den": "A49",
}
