package main

func writeMatrix(stored, docs string) error { return nil }
