# only_added.awk OLD.abi NEW.abi: what abidw wrote of two interfaces. Prints each thing of the old one that the new one lacks or
# has otherwise, and each member that was not put behind all that the struct had: nothing, when something was only added.
# (abidiff cannot tell: what its suppressions let pass when members are appended, they also let pass when types change.)
function value(key) { # of an attribute in this line
  return match($0, " " key "='[^']*'") ? substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 4) : ""
}
function fact(text) {
  if (FNR == NR) old[text] = 1
  else seen[text] = 1
}
FNR == 1 { struct = "" }
/<class-decl / {
  struct = value("name")
  # These never grow (rule 9 of sdk/ABI.md): two are the handshake, arrays of the third cross, the fourth is the caller's.
  if (struct ~ /^weir_(root|fingerprint|domain|error)$/) fact("struct " struct " has " value("size-in-bits") " bits")
  else fact("struct " struct)
  if (FNR == NR) size[struct] = value("size-in-bits") + 0
  if (/\/>/) struct = ""
  next
}
/<\/class-decl>/ { struct = ""; next }
/<data-member / { offset = value("layout-offset-in-bits"); next }
struct != "" && /<var-decl / {
  fact("member " struct "." value("name") " at bit " offset ", type " value("type-id"))
  if (FNR != NR && (struct in size) && !(("member " struct "." value("name") " at bit " offset ", type " value("type-id")) in old) && offset + 0 < size[struct])
    print "not behind the members that were there: " struct "." value("name")
  next
}
/<function-type / { signature = "function " value("id") " ("; next }
/<(parameter|return) / { signature = signature " " value("type-id"); next }
/<\/function-type>/ { fact(signature " )"); next }
/<\// || /<abi-corpus/ || /<abi-instr/ || /<elf-[a-z]+-symbols>/ { next }
{ sub(/^ +/, ""); fact($0) }
END { for (text in old) if (!(text in seen)) print "gone: " text }
