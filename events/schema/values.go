package schema

import (
	"fmt"
	"reflect"

	"muster/events"
)

// ref refers to a definition.
func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// defs are the values that statements share: see the section "Values" of FORMAT.md.
func defs() object {
	const noControl = `^[^\x00-\x08\x0b-\x1f\x7f]*$`
	nations := events.Nations()
	return object{
		"slug":   object{"type": "string", "pattern": events.SlugForm},
		"nation": object{"anyOf": []any{object{"enum": nations}, ref("organisation")}},
		"organisation": object{"type": "string", "pattern": events.OrganisationForm,
			"description": "The code of an organisation that an operation declares"},
		"origin": object{"type": "string", "pattern": events.OriginForm,
			"maxLength": events.MaxOrigin},
		"id": object{"type": "string", "description": "A ULID",
			"pattern": `^[0-7][0-9A-HJKMNP-TV-Z]{25}$`,
			"not":     object{"const": events.ID{}.String()}},
		"date": object{"type": "string", "format": "date",
			"description": "From 1900-01-01 to 2199-12-31, in UTC",
			"pattern":     `^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`},
		"instant": object{"type": "string", "format": "date-time",
			"description": "From 2000-01-01 to 2199-12-31, in UTC, to the second",
			"pattern": `^(20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])` +
				`T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$`},
		"unit": object{"type": "string",
			"anyOf": []any{object{"pattern": events.UnitForm},
				object{"pattern": events.CurrencyForm}}},
		"count": object{"type": "integer", "minimum": 1, "maximum": events.MaxCount},
		"money": object{"type": "string", "pattern": `^(0|[1-9][0-9]*)\.[0-9]{2}$`,
			"not": object{"const": "0.00"}},
		"quantity": object{"description": "A count, or money where the unit is a currency",
			"anyOf": []any{ref("count"), ref("money")}},
		"quantity-or-unknown": object{"description": "A count, or money where the unit is a " +
			"currency, or unknown, which is not 0",
			"anyOf": []any{ref("count"), ref("money"), object{"const": "unknown"}}},
		"text": object{"type": "string", "maxLength": events.MaxText, "pattern": noControl},
		"title": object{"description": "A text that is more than white space",
			"allOf": []any{ref("text"), object{"pattern": `\S`}}},
		"key": object{"type": "string",
			"description": "A public key, as C2SP signed-note encodes it",
			"pattern": `^([A-Z]{3}|HQ|x-[a-z0-9][a-z0-9-]{0,18}[a-z0-9])/` +
				`[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$`},
		"hash": object{"type": "string", "description": "32 bytes in base 64",
			"pattern": `^[A-Za-z0-9+/]{43}=$`},
	}
}

// byType is the definition of each Go type that has one, whatever member it is.
var byType = map[reflect.Type]string{
	reflect.TypeFor[events.ID](): "id", reflect.TypeFor[events.Origin](): "origin",
	reflect.TypeFor[events.Nation]():    "nation",
	reflect.TypeFor[events.Operation](): "slug", reflect.TypeFor[events.Role](): "slug",
	reflect.TypeFor[events.Area](): "slug",
	reflect.TypeFor[events.Line](): "slug", reflect.TypeFor[events.Unit](): "unit",
	reflect.TypeFor[events.Date](): "date", reflect.TypeFor[events.Key](): "key",
	reflect.TypeFor[events.Instant](): "instant",
}

// words are the closed sets.
var words = map[reflect.Type][]any{
	reflect.TypeFor[events.MemberRole](): {events.Coordinator, events.Liaison, events.Importer,
		events.Reader},
	reflect.TypeFor[events.Clearance](): {events.ForThePublic, events.ForTheCoalition,
		events.ForTheNation, events.ForTheCoordinators},
	reflect.TypeFor[events.Rung](): {events.Indicated, events.Offered, events.Accepted,
		events.Confirmed, events.Deployed},
	reflect.TypeFor[events.Presence](): {events.New, events.Present, events.Reserve},
	reflect.TypeFor[events.Release](): {events.Public, events.CoalitionOnly,
		events.CoordinatorsOnly},
	reflect.TypeFor[events.ConditionKind](): {events.Parliament, events.CeaseFire, events.Mandate,
		events.Funding, events.OtherThing},
}

// bounds are the numbers, by the names of their members.
var bounds = map[string][2]int64{"size": {1, events.MaxCount}, "after": {0, events.MaxCount},
	"seconds": {0, events.MaxSeconds}, "priority": {1, 9}, "notice_to_move": {0, events.MaxNotice}}

// memberSchema returns the schema of one member of a struct.
func memberSchema(in reflect.Type, name string, t reflect.Type, optional bool) (object, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s, err := valueSchema(in, name, t, optional)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	_, word := words[t]
	mayBeEmpty := t.Kind() == reflect.String && (word || byType[t] != "")
	if optional && mayBeEmpty { // which says the same as leaving it out
		s = object{"anyOf": []any{s, object{"const": ""}}}
	}
	return s, nil
}

func valueSchema(in reflect.Type, name string, t reflect.Type, optional bool) (object, error) {
	if in == reflect.TypeFor[events.PledgeQueried]() && name == "to" {
		return object{"anyOf": []any{ref("nation"), object{"const": events.HQ}}}, nil
	}
	if in == reflect.TypeFor[events.Organisation]() && name == "code" {
		return ref("organisation"), nil
	}
	if def, ok := byType[t]; ok {
		return ref(def), nil
	}
	if set, ok := words[t]; ok {
		return object{"enum": set}, nil
	}
	switch {
	case t == reflect.TypeFor[events.Language]():
		return object{"type": "string", "pattern": events.LanguageForm,
			"description": "A language as BCP 47 names it"}, nil
	case t == reflect.TypeFor[events.Type]():
		return object{"type": "string"}, nil
	case t == reflect.TypeFor[events.Quantity]() && name == "quantity" &&
		in == reflect.TypeFor[events.PledgeTerms]():
		return ref("quantity-or-unknown"), nil
	case t == reflect.TypeFor[events.Quantity]():
		return ref("quantity"), nil
	case t.Kind() == reflect.Bool:
		return object{"type": "boolean"}, nil
	case t.Kind() == reflect.String && (name == "root" || name == "leaf"):
		return ref("hash"), nil
	case name == "reference":
		return object{"type": "string", "maxLength": events.MaxReference,
			"pattern": `^(?:[^\x00-\x1f\x7f\s](?:[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s])?)?$`}, nil
	case t.Kind() == reflect.String && optional:
		return ref("text"), nil
	case t.Kind() == reflect.String:
		return ref("title"), nil
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		between, ok := bounds[name]
		if !ok {
			return nil, fmt.Errorf("no bounds are known of the number")
		}
		return object{"type": "integer", "minimum": between[0], "maximum": between[1]}, nil
	case t.Kind() == reflect.Struct:
		return structSchema(t)
	case t.Kind() == reflect.Slice:
		return listSchema(in, name, t.Elem(), optional)
	}
	return nil, fmt.Errorf("no schema is known for the Go type %s", t)
}

// limits are the most elements of lists, by the type of their elements.
var limits = map[reflect.Type]int{
	reflect.TypeFor[events.Role]():               events.MaxRoles,
	reflect.TypeFor[events.RoleDefinition]():     events.MaxRoles,
	reflect.TypeFor[events.Organisation]():       events.MaxOrganisations,
	reflect.TypeFor[events.Unit]():               events.MaxUnits,
	reflect.TypeFor[events.Translation]():        events.MaxTitles,
	reflect.TypeFor[string]():                    events.MaxElsewhere,
	reflect.TypeFor[events.Nation]():             events.MaxReleasable,
	reflect.TypeFor[events.StandingCondition]():  events.MaxHanging,
	reflect.TypeFor[events.StandingCaveat]():     events.MaxHanging,
	reflect.TypeFor[events.StandingAllocation](): events.MaxHanging,
}

func listSchema(in reflect.Type, name string, element reflect.Type, optional bool) (object, error) {
	most, ok := limits[element]
	if !ok {
		return nil, fmt.Errorf("no limit is known of a list of %s", element)
	}
	if in == reflect.TypeFor[events.Organisation]() {
		most = events.MaxOtherNames
	}
	items, err := valueSchema(in, name, element, false)
	if err != nil {
		return nil, err
	}
	s := object{"type": "array", "items": items, "maxItems": most, "uniqueItems": true}
	if !optional {
		s["minItems"] = 1
	}
	return s, nil
}
