package events

import (
	"slices"
	"strings"

	"muster/events/phrase"
)

// currencies are the codes of ISO 4217 that stand for money: its list one as of 2026, and those of
// list three that the euro, or a new issue, has replaced since 1999, in which old pledges are made.
// XTS and XXX are codes of it that stand for none.
var currencies = strings.Fields(`
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL
GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW
KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD
NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS
VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW
ZWG
ADP AFA ANG AOR ATS AZM BEF BGL BGN BYB BYR CSD CUC CYP DEM ECS EEK ESP FIM FRF GHC GRD GWP HRK IEP
ITL LTL LUF LVL MGF MRO MTL MZM NLG PTE ROL RUR SDD SIT SKK SLL SRG STD SVC TMM TPE TRL VEB VEF YUM
ZMK ZWD ZWL ZWN ZWR`)

var isoCurrencies = func() map[Unit]bool {
	all := map[Unit]bool{}
	for _, code := range currencies {
		all[Unit(code)] = true
	}
	return all
}()

// IsCurrency reports whether u is a currency of ISO 4217. Each unit in three capitals is counted as
// money ([Unit.IsMoney]), since statements with others were recorded before this was asked.
func (u Unit) IsCurrency() bool { return isoCurrencies[u] }

// Currencies returns the codes that IsCurrency knows, in order.
func Currencies() []string { return slices.Compact(slices.Sorted(slices.Values(currencies))) }

// Odd says what is wrong with a unit that a catalogue takes up, in its form though it may be right:
// three capitals that are no currency, or a currency in lower-case letters. It is "" for any other.
func (u Unit) Odd() phrase.Phrase {
	switch upper := Unit(strings.ToUpper(string(u))); {
	case u.IsMoney() && !u.IsCurrency():
		return u.noCurrency()
	case upper != u && upper.IsCurrency():
		return phrase.Of("is a currency: write it as %s; or give the thing another name", upper)
	}
	return phrase.Phrase{}
}

func (u Unit) noCurrency() phrase.Phrase {
	return phrase.Of("%s is no currency of ISO 4217: write what it stands for in lower-case "+
		"letters, such as %s, or a currency, such as EUR", u, strings.ToLower(string(u)))
}
