package reach

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/events/problem"
)

// explainTLS makes a problem of an error that is TLS's, with the remedy, and leaves others as they
// are. The flag is the one that names authorities.
func explainTLS(where, flag string, err error) error {
	distrusted := func(format string, args ...any) *problem.Problem {
		return problem.New(problem.Unavailable,
			"the server at %s cannot be trusted: its certificate %s",
			where, fmt.Sprintf(format, args...)).WithCode("certificate")
	}
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	switch {
	case errors.Is(err, errNotOwn):
		return distrusted("is not the one that the server on the data folder has left there").
			WithHint("does something else listen at this address? start the server again")
	case errors.As(err, &unknown):
		return distrusted("is from an authority that is not known here").
			WithHint("give the authority's certificate, or the server's own where it has signed "+
				"itself, with %s FILE; ask the server's administrator for it", flag)
	case errors.As(err, &host):
		return distrusted("is for %s, and not for %s", namesOf(host.Certificate), host.Host).
			WithHint("use one of its names, or have the server given a certificate for this one")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return distrusted("is valid from %s until %s only", timeOf(invalid.Cert.NotBefore),
			timeOf(invalid.Cert.NotAfter)).
			WithHint("the server's administrator has to renew it; is this machine's clock right?")
	case errors.As(err, &header):
		return problem.New(problem.Unavailable, "the server at %s does not speak TLS", where).
			WithHint("is this its address? where nobody can listen in between, it is asked in " +
				"the clear")
	}
	return err
}

func timeOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// namesOf lists what a certificate is for.
func namesOf(c *x509.Certificate) string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no names"
	}
	return strings.Join(names, ", ")
}
