package events

// MaxBatch is the most statements that are sent in one request.
const MaxBatch = 64

// BatchSize returns how many statements a batch has, as it is sent: a JSON object with statements,
// a list of texts. It counts the texts outside which nothing else is, and takes nanoseconds for
// each byte, so that a batch can be counted before there is room to work on it. Of what is no batch
// it returns at least as many as would be read of it; and never less than 1, nor more than
// [MaxBatch].
func BatchSize(sent []byte) int {
	quotes, escaped := 0, false
	for _, c := range sent {
		if c == '"' && !escaped {
			quotes++
		}
		escaped = c == '\\' && !escaped
	}
	const names = 1 // "statements"
	return min(max(quotes/2-names, 1), MaxBatch)
}
