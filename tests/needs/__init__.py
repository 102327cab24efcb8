"""What the functions' roles in template.yaml allow, against what the functions ask of AWS."""
