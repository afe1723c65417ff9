package filter

// LinkTypes returns the numbers of the link types that are known.
func LinkTypes() (list []uint16) {
	for link := range layouts {
		list = append(list, link)
	}
	return list
}
